# METADATA
# title: An access token is required
# description: also where no route matches, so that nobody without a token learns which routes there are
# custom:
#   public: true
package countersign.rules.identity.token_required

import data.countersign.lib.route
import data.countersign.lib.say

verdict := say.deny_with(input.signals.token.status == "absent", 401) if {
	route.protected
} else := say.deny_with(input.signals.token.status == "absent", 401) if {
	input.route.status == "unknown"
} else := "clear" if {
	route.public
} else := "clear" if {
	route.outside
}
