# METADATA
# title: Many different credentials were refused from this address
# description: one bad credential again and again is one; with the effect step_up those that bring a client certificate pass
# custom:
#   remedy: Wait an hour without refused credentials from the address, or bring a client certificate.
package countersign.rules.threat.credential_stuffing

import data.countersign.lib.is
import data.countersign.lib.status
import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.credential_stuffing
} else := "clear" if {
	is.at_most(input.signals.behaviour.value.address_failed_credentials, data.countersign.limits.threats.credential_stuffing.credentials_max)
} else := threat.seen("threat.credential_stuffing", data.countersign.limits.threats.credential_stuffing) if {
	is.above(input.signals.behaviour.value.address_failed_credentials, data.countersign.limits.threats.credential_stuffing.credentials_max)
} else := "clear" if {
	input.signals.behaviour.value.address_failed_credentials == null
} else := "clear" if {
	status.lacking(input.signals.behaviour.status)
}
