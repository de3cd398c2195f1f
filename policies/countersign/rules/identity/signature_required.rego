# METADATA
# title: The route needs a signed request
# description: where the tier says signed; a signature that was refused is for other rules
# custom:
#   public: true
#   remedy: Sign the request by what the answer's Accept-Signature asks for.
package countersign.rules.identity.signature_required

import data.countersign.lib.route

verdict := "clear" if {
	route.public
} else := "clear" if {
	route.outside
} else := _verdict(input.signals.signature.status, object.get(data.countersign.limits.tiers[input.route.tier], "signed", false)) if {
	route.protected
}

_verdict(status, false) := "clear" if status in {"present", "absent", "invalid", "unavailable"}

_verdict(status, true) := "clear" if status in {"present", "invalid"}

_verdict("absent", true) := {"effect": "deny", "status": 403, "signature": input.signals.signature.code}

_verdict("unavailable", true) := {
	"effect": "deny", "status": 503, "retry_after_seconds": data.countersign.limits.signals.retry_after_seconds,
	"signature": input.signals.signature.code,
}
