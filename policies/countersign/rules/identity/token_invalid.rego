# METADATA
# title: The access token is not valid
# custom:
#   public: true
#   remedy: Get a new access token of a configured issuer for this audience; signals.token.code says what was wrong.
package countersign.rules.identity.token_invalid

import data.countersign.lib.credential
import data.countersign.lib.route
import data.countersign.lib.status

verdict := {"effect": "deny", "status": 401, "token": input.signals.token.code} if {
	input.signals.token.status == "invalid"
	code := input.signals.token.code
	not code in credential.revoked
	not route.public
} else := "clear" if {
	status.not_invalid(input.signals.token.status)
} else := "clear" if {
	input.signals.token.status == "invalid"
	input.signals.token.code in credential.revoked
} else := "clear" if {
	route.public
}
