# METADATA
# title: The client certificate is not valid
# description: malformed, in conflict with what else was handed on, or no SPIFFE certificate where it claims to be one
# custom:
#   public: true
#   remedy: Send one well-formed client certificate, the same by every way that the gateway hands it on.
package countersign.rules.identity.certificate_invalid

import data.countersign.lib.certificate
import data.countersign.lib.route
import data.countersign.lib.status

verdict := "clear" if {
	route.public
} else := "clear" if {
	status.not_invalid(input.signals.certificate.status)
} else := "clear" if {
	input.signals.certificate.status == "invalid"
	input.signals.certificate.code in (certificate.untrusted | certificate.revoked)
} else := {"effect": "deny", "status": 401, "certificate": input.signals.certificate.code} if {
	input.signals.certificate.status == "invalid"
}
