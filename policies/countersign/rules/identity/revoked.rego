# METADATA
# title: What the caller brought is revoked
# description: the token, its session, the API key, or the client itself
# custom:
#   exceptions: false
#   public: true
#   remedy: Get a new token or API key; where the client itself is revoked, take its revocation back.
package countersign.rules.identity.revoked

import data.countersign.lib.credential
import data.countersign.lib.route

verdict := "clear" if {
	input.signals.token.status == "present"
	input.signals.api_key.status == "absent"
} else := "clear" if {
	route.public
} else := {"effect": "deny", "status": 401, "revoked": _codes} if {
	count(_codes) > 0
} else := "clear" if {
	input.signals.token.status in _states
	input.signals.api_key.status in _states
}

_states := {"present", "absent", "invalid", "unavailable"}

_codes := [code | some code in offered; code in credential.revoked] if {
	offered := _offered
}

_offered contains input.signals.token.code if input.signals.token.status == "invalid"

_offered contains input.signals.api_key.code if input.signals.api_key.status == "invalid"
