# METADATA
# title: The client certificate is expired
# custom:
#   public: true
#   remedy: Renew the client certificate.
package countersign.rules.identity.certificate_expired

import data.countersign.lib.is
import data.countersign.lib.route
import data.countersign.lib.say
import data.countersign.lib.status

verdict := "clear" if {
	route.public
} else := "clear" if {
	status.lacking(input.signals.certificate.status)
} else := "clear" if {
	input.signals.certificate.value.not_after == null
} else := say.deny_with(is.at_most(certificate.value.not_after, input.time.unix_seconds), 401) if {
	certificate := input.signals.certificate
}
