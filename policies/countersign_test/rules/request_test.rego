package countersign_test.rules.request_test

import data.countersign.rules.request.path_ambiguous
import data.countersign_test.fixtures

test_denies if path_ambiguous.verdict == {"effect": "deny", "status": 400} with input as fixtures.ambiguous_route

test_clear_otherwise if {
	path_ambiguous.verdict == "clear" with input as fixtures.good
	path_ambiguous.verdict == "clear" with input as fixtures.unknown_route
	path_ambiguous.verdict == "clear" with input as fixtures.no_route
}

test_no_verdict_on_another_word if not path_ambiguous.verdict with input as fixtures.with_route({"status": "ambigous"})

test_no_verdict_without_an_input if not path_ambiguous.verdict with input as {}
