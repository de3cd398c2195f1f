# METADATA
# title: The message signature was used before
# description: its nonce is known; whoever signed can sign again
# custom:
#   exceptions: false
#   public: true
#   remedy: Sign each request by itself, with a nonce of its own.
package countersign.rules.identity.signature_replayed

import data.countersign.lib.route
import data.countersign.lib.status

verdict := "clear" if {
	status.not_invalid(input.signals.signature.status)
} else := "clear" if {
	route.public
	_on_public == false
} else := {"effect": "deny", "status": 403, "signature": input.signals.signature.code} if {
	input.signals.signature.code == "signature_replayed"
	is_boolean(_on_public)
} else := "clear" if {
	input.signals.signature.status == "invalid"
	input.signals.signature.code != "signature_replayed"
}

_on_public := object.get(object.get(data.countersign.limits, "signatures", {}), "refuse_on_public", false)
