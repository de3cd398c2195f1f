# METADATA
# title: Pieces of evidence contradict each other
# description: by evidence.agreement.pairs; token and certificate of different clients are client_conflict's alone
# custom:
#   public: true
package countersign.rules.identity.evidence_conflict

import data.countersign.lib.route

verdict := "clear" if {
	route.public
} else := _verdict(_unsaid(input.evidence.agreement.conflicts, client)) if {
	client := input.evidence.agreement.client
	client in {"none", "single", "agreed", "conflict"}
}

_unsaid(pairs, client) := pairs if {
	is_array(pairs)
	client in {"none", "single", "agreed"}
}

_unsaid(pairs, "conflict") := [pair | some pair in pairs; pair != "token_certificate"] if is_array(pairs)

_verdict([]) := "clear"

_verdict(pairs) := {"effect": "deny", "pairs": pairs} if count(pairs) > 0
