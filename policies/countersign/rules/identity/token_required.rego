# METADATA
# title: An access token is required
# description: or an API key; also where no route matches, so that nobody without one learns which routes there are
# custom:
#   public: true
#   remedy: Send an access token as authorization Bearer or DPoP, or an API key.
package countersign.rules.identity.token_required

import data.countersign.lib.route
import data.countersign.lib.say

verdict := say.deny_with(_nothing, 401) if {
	route.protected
} else := say.deny_with(_nothing, 401) if {
	input.route.status == "unknown"
} else := "clear" if {
	route.public
} else := "clear" if {
	route.outside
}

_nothing := false if {
	input.signals.token.status == "present"
} else := false if {
	input.signals.token.status in {"invalid", "unavailable"}
} else := input.signals.api_key.status == "absent" if {
	input.signals.token.status == "absent"
}
