# METADATA
# title: The path can be read in more than one way
# description: the gateway, the upstream and the catalogue could take it for different resources
# custom:
#   public: true
#   status: 400
package countersign.rules.request.path_ambiguous

import data.countersign.lib.say

verdict := say.deny_when(input.route.status == "ambiguous") if {
	input.route.status in {"matched", "unknown", "ambiguous", "none"}
}
