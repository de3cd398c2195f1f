# METADATA
# title: The client certificate is revoked
# custom:
#   exceptions: false
#   public: true
#   remedy: Get a new client certificate; a revoked one is not accepted again.
package countersign.rules.identity.certificate_revoked

import data.countersign.lib.certificate
import data.countersign.lib.route
import data.countersign.lib.status

verdict := "clear" if {
	route.public
} else := {"effect": "deny", "status": 401, "certificate": input.signals.certificate.code} if {
	input.signals.certificate.status == "invalid"
	input.signals.certificate.code in certificate.revoked
} else := "clear" if {
	status.known(input.signals.certificate.status)
}
