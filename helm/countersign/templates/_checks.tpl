{{/* What the schema cannot say. Each message says what to do. */}}
{{- define "countersign.checks" -}}
{{- include "countersign.checksOfSwitches" . -}}
{{- $config := .Values.config -}}
{{- $http := $config.http | default dict -}}
{{- $grpc := $config.grpc | default dict -}}
{{- $loopback := list "127.0.0.1" "::1" "localhost" -}}
{{- $local := and (has (default "127.0.0.1" $http.host) $loopback) (has (default "127.0.0.1" $grpc.host) $loopback) -}}
{{- if and (include "countersign.anonymous" .) (not $config.allowAnonymous) (not $local) -}}
{{- fail "config.peps must name the gateways that may ask, each with the tokenSha256 of a token of its own (printf %s \"$TOKEN\" | sha256sum), or with its certificate. Where anybody who reaches the Service may ask, write config.allowAnonymous: true and a pep with anonymous: true." -}}
{{- end -}}
{{- if and .Values.istio.inMesh.enabled (not .Values.istio.inMesh.principals) -}}
{{- fail "istio.inMesh.enabled: principals must name the identities of the gateways." -}}
{{- end -}}
{{- if and .Values.istio.inMesh.enabled (not $local) -}}
{{- fail "istio.inMesh.enabled: config.http.host and config.grpc.host must be 127.0.0.1, so that nobody passes by the sidecar." -}}
{{- end -}}
{{- if and $local (not .Values.sidecar.enabled) (not .Values.istio.inMesh.enabled) -}}
{{- fail "config.http.host and config.grpc.host are loopback: no Service reaches them. That is for sidecar.enabled and istio.inMesh.enabled." -}}
{{- end -}}
{{- if has (default "127.0.0.1" ($config.operations | default dict).host) $loopback -}}
{{- fail "config.operations.host is loopback: the probes of Kubernetes cannot reach it." -}}
{{- end -}}
{{- with .Values.policies -}}
{{- if and (ne .source "image") ($config.policy | default dict).bundle -}}
{{- fail (printf "policies.source is %s and config.policy.bundle is set too: say in one place where the policy comes from." .source) -}}
{{- end -}}
{{- if and (eq .source "configMap") (not .configMap.name) (not .configMap.bundleBase64) -}}
{{- fail "policies.source is configMap: name one by policies.configMap.name, or give the bundle by --set-file policies.configMap.bundleBase64=FILE." -}}
{{- end -}}
{{- if and (eq .source "volume") (not .volume.source) -}}
{{- fail "policies.source is volume: say by policies.volume.source which, for example {persistentVolumeClaim: {claimName: policies}}." -}}
{{- end -}}
{{- if and (eq .source "url") (not .url.bundle) -}}
{{- fail "policies.source is url: policies.url.bundle must name the bundle." -}}
{{- end -}}
{{- end -}}
{{- $store := $config.store | default dict -}}
{{- $addresses := concat (list ($store.url | default "")) ($store.sentinels | default list) ($store.cluster | default list) -}}
{{- range $addresses -}}{{- if contains "@" . -}}
{{- fail "config.store has an address with a user or a password, and a ConfigMap is no place for it: take it out, and let redis.auth or redis.urlSecret name a Secret." -}}
{{- end -}}{{- end -}}
{{- with .Values.redis -}}
{{- if and (has .mode (list "standalone" "cluster")) (not .host) (not .urlSecret.name) -}}
{{- fail (printf "redis.mode is %s: name redis.host, or a Secret with the URL by redis.urlSecret.name." .mode) -}}
{{- end -}}
{{- if and (eq .mode "sentinel") (not .nodes) -}}
{{- fail "redis.mode is sentinel: redis.nodes must name the sentinels, host:port each." -}}
{{- end -}}
{{- if and (ne .mode "none") (ne (default "redis" ($config.store | default dict).kind) "redis") -}}
{{- fail "redis.mode and config.store.kind disagree: leave config.store.kind out." -}}
{{- end -}}
{{- end -}}
{{- with .Values.geoip -}}
{{- if and .databases (eq .update "volume") (not .volume) -}}
{{- fail "geoip.databases are named, and no geoip.volume that has them: give one, or let geoip.update fetch them (initContainer, cronJob)." -}}
{{- end -}}
{{- if ne .update "volume" -}}
{{- range .databases -}}{{- if not .from -}}{{- fail (printf "geoip.databases: %s has no `from`, which geoip.update needs." .file) -}}{{- end -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.certificate.enabled (not .Values.certificate.issuerRef.name) -}}
{{- fail "certificate.enabled: certificate.issuerRef.name must name an issuer of cert-manager." -}}
{{- end -}}
{{- if and .Values.sidecar.enabled (not (and .Values.sidecar.containers .Values.sidecar.ports)) -}}
{{- fail "sidecar.enabled: sidecar.containers must hold the gateway, and sidecar.ports where it listens." -}}
{{- end -}}
{{- if and .Values.envoyGateway.securityPolicy.enabled (not .Values.envoyGateway.securityPolicy.targetRefs) -}}
{{- fail "envoyGateway.securityPolicy.enabled: targetRefs must name a Gateway or an HTTPRoute of this namespace." -}}
{{- end -}}
{{- if and .Values.envoyGateway.backendTlsPolicy.enabled (not .Values.envoyGateway.backendTlsPolicy.ca.name) -}}
{{- fail "envoyGateway.backendTlsPolicy.enabled: ca.name must name what holds the CA of the gRPC listener's certificate." -}}
{{- end -}}
{{- $drain := include "countersign.drainSeconds" . | int -}}
{{- $grace := .Values.lifecycle.terminationGracePeriodSeconds | int -}}
{{- if and (gt $grace 0) (lt $grace $drain) -}}
{{- fail (printf "lifecycle.terminationGracePeriodSeconds is %d, and preStop and config.drain may take %d: requests in flight would be cut." $grace $drain) -}}
{{- end -}}
{{- end }}
