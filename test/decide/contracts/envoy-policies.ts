/* Policies in the form of opa-envoy-plugin's: its input, its names, its decisions. Written for these tests. */

export const ALLOW = 'envoy/authz/allow';

/** A boolean: roles out of a bearer token that the policy decodes itself. */
export const ROLES = `package envoy.authz

import input.attributes.request.http as http_request

default allow := false

allow if {
  some permission in permissions[claims.role]
  permission.method == http_request.method
  glob.match(permission.path, ["/"], http_request.path)
}

permissions := {
  "reader": [{"method": "GET", "path": "/books/*"}],
  "writer": [{"method": "GET", "path": "/books/*"}, {"method": "POST", "path": "/books"}],
}

claims := json.unmarshal(base64url.decode(payload)) if {
  [scheme, token] := split(http_request.headers.authorization, " ")
  lower(scheme) == "bearer"
  [_, payload, _] := split(token, ".")
}
`;

/** No default: undefined where nothing allows. */
export const NO_DEFAULT = `package envoy.authz

allow if input.parsed_path == ["public"]
`;

/** The object, made of rules of its own. */
export const OBJECT = `package envoy.authz

default allowed := false

allowed if input.parsed_path[0] == "open"

headers["x-tenant"] := input.parsed_query.tenant[0]

headers["x-by"] := "policy"

response_headers_to_add["x-served"] := ["a", "b"]

request_headers_to_remove := ["X-Secret", "x-by"]

body := sprintf("no %s for %s", [input.attributes.request.http.method, concat("/", input.parsed_path)])

http_status := 401 if not input.attributes.request.http.headers.authorization

http_status := 404 if input.attributes.request.http.headers.authorization

dynamic_metadata := {"tier": "gold", "n": 3, "nested": {"list": [true, null, "x"]}, "decision_id": "forged"}

query_parameters_to_set := {"page": "1", "tag": ["a", "b"]}

query_parameters_to_remove := ["debug"]

decision["allowed"] := allowed

decision["headers"] := headers

decision["response_headers_to_add"] := response_headers_to_add

decision["request_headers_to_remove"] := request_headers_to_remove

decision["body"] := body

decision["http_status"] := http_status

decision["dynamic_metadata"] := dynamic_metadata

decision["query_parameters_to_set"] := query_parameters_to_set

decision["query_parameters_to_remove"] := query_parameters_to_remove
`;

/** Gives back a part of its input as the body of a refusal. */
export const ECHO = `package envoy.authz

allow := {"allowed": false, "body": json.marshal(input)}
`;

/** Gives what its caller says in a header, so that every form of result can be tried. */
export const SAID = `package envoy.authz

allow := json.unmarshal(input.attributes.request.http.headers["x-result"])
`;
