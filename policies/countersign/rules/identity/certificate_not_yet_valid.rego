# METADATA
# title: The client certificate is not valid yet
# custom:
#   public: true
#   remedy: Wait until the certificate is valid, and compare the clocks of its issuer and of this service.
package countersign.rules.identity.certificate_not_yet_valid

import data.countersign.lib.is
import data.countersign.lib.route
import data.countersign.lib.say
import data.countersign.lib.status

verdict := "clear" if {
	route.public
} else := "clear" if {
	status.lacking(input.signals.certificate.status)
} else := "clear" if {
	input.signals.certificate.value.not_before == null
} else := say.deny_with(is.above(certificate.value.not_before, input.time.unix_seconds), 401) if {
	certificate := input.signals.certificate
}
