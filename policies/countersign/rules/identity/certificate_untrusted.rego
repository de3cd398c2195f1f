# METADATA
# title: The client certificate is not trusted
# description: its chain leads to no trust bundle, its trust domain is another one, or it is not for clients
# custom:
#   public: true
#   remedy: Use a certificate for clients of an issuer in the trust bundle, or add its issuer to it.
package countersign.rules.identity.certificate_untrusted

import data.countersign.lib.certificate
import data.countersign.lib.route
import data.countersign.lib.status

verdict := "clear" if {
	route.public
} else := {"effect": "deny", "status": 401, "certificate": input.signals.certificate.code} if {
	input.signals.certificate.status == "invalid"
	input.signals.certificate.code in certificate.untrusted
} else := "clear" if {
	status.known(input.signals.certificate.status)
}
