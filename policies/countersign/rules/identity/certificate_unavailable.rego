# METADATA
# title: The client certificate could not be judged
# description: a trust bundle or a required revocation list is missing; ours to mend, and retried
# custom:
#   public: true
#   remedy: Try again later; operators see in /status which trust bundle or revocation list is missing.
package countersign.rules.identity.certificate_unavailable

import data.countersign.lib.route

verdict := "clear" if {
	route.public
} else := {
	"effect": "deny", "status": 503, "retry_after_seconds": data.countersign.limits.signals.retry_after_seconds,
	"certificate": input.signals.certificate.code,
} if {
	input.signals.certificate.status == "unavailable"
} else := "clear" if {
	input.signals.certificate.status in {"present", "absent", "invalid"}
}
