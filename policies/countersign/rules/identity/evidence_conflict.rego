# METADATA
# title: Pieces of evidence contradict each other
# description: by evidence.agreement.pairs, but those that client_conflict and client_issuer_unexpected speak of
# custom:
#   public: true
#   remedy: Send evidence that agrees; signals and agreement of the input name the pairs that do not.
package countersign.rules.identity.evidence_conflict

import data.countersign.lib.route
import data.countersign.lib.status

verdict := "clear" if {
	route.public
} else := _verdict(_unsaid(input.evidence.agreement.conflicts, client)) if {
	client := input.evidence.agreement.client
	status.agreement(client)
}

_unsaid(pairs, client) := [pair | some pair in pairs; pair != "client_issuer"] if {
	is_array(pairs)
	client in {"none", "single", "agreed"}
}

_unsaid(pairs, "conflict") := [pair | some pair in pairs; not pair in _of_clients] if is_array(pairs)

# those that compare the clients themselves
_of_clients := {
	"client_issuer", "token_certificate", "token_api_key", "token_signature",
	"certificate_api_key", "certificate_signature", "api_key_signature",
}

_verdict([]) := "clear"

_verdict(pairs) := {"effect": "deny", "pairs": pairs} if count(pairs) > 0
