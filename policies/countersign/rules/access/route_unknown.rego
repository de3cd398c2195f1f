# METADATA
# title: No route of the catalogue matches the request
# custom:
#   public: true
package countersign.rules.access.route_unknown

import data.countersign.lib.say

verdict := say.deny_when(input.route.status == "unknown") if {
	input.route.status in {"matched", "unknown", "ambiguous", "none"}
}
