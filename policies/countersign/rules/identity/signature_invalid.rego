# METADATA
# title: The message signature is not valid
# description: offered and refused; public routes mind it where limits.signatures.refuse_on_public says so
# custom:
#   public: true
#   remedy: Sign the request anew by what the answer's Accept-Signature asks for.
package countersign.rules.identity.signature_invalid

import data.countersign.lib.route
import data.countersign.lib.status

verdict := "clear" if {
	status.not_invalid(input.signals.signature.status)
} else := "clear" if {
	input.signals.signature.code == "signature_replayed"
} else := "clear" if {
	route.public
	_on_public == false
} else := {"effect": "deny", "status": 403, "signature": input.signals.signature.code} if {
	input.signals.signature.status == "invalid"
	is_boolean(_on_public)
}

_on_public := object.get(object.get(data.countersign.limits, "signatures", {}), "refuse_on_public", false)
