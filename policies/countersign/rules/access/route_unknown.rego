# METADATA
# title: No route of the catalogue matches the request
# custom:
#   public: true
#   remedy: Call a path and method of the catalogue, or add the route to it.
package countersign.rules.access.route_unknown

import data.countersign.lib.say

verdict := say.deny_when(input.route.status == "unknown") if {
	input.route.status in {"matched", "unknown", "ambiguous", "none"}
}
