# METADATA
# title: The API key is not valid
# description: malformed, unknown, expired, or one of several
# custom:
#   public: true
#   remedy: Send one API key that is known and not expired.
package countersign.rules.identity.api_key_invalid

import data.countersign.lib.credential
import data.countersign.lib.route

verdict := "clear" if {
	input.signals.api_key.status == "absent"
} else := "clear" if {
	input.signals.api_key.status in {"present", "unavailable"}
} else := "clear" if {
	route.public
} else := "clear" if {
	input.signals.api_key.status == "invalid"
	input.signals.api_key.code in (credential.revoked | {"api_key_network"})
} else := {"effect": "deny", "status": 401, "api_key": input.signals.api_key.code} if {
	input.signals.api_key.status == "invalid"
}
