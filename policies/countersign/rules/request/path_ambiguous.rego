# METADATA
# title: The path can be read in more than one way
# description: the gateway, the upstream and the catalogue could take it for different resources
# custom:
#   exceptions: false
#   public: true
#   remedy: Send the path in its plain form, without encoded slashes, dot segments and parameters.
package countersign.rules.request.path_ambiguous

import data.countersign.lib.say

verdict := say.deny_with(input.route.status == "ambiguous", 400) if {
	input.route.status in {"matched", "unknown", "ambiguous", "none"}
}
