{{/* What would be accepted, and then not work or not protect. Each message says what to do. */}}
{{- define "countersign.checksOfSwitches" -}}
{{- $name := include "countersign.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "%s is no name of a Service (lower-case letters, digits and dashes, a letter first): set fullnameOverride." $name) -}}
{{- end -}}
{{- range $listener := list "grpc" "http" -}}
{{- $ca := (index $.Values.tls $listener).clientCa -}}
{{- if and (or $ca.secret $ca.configMap) (not (include "countersign.hasTls" (list $ $listener))) -}}
{{- fail (printf "tls.%s.clientCa asks gateways for certificates, and the listener has no TLS: set tls.%s.secret, or certificate for it." $listener $listener) -}}
{{- end -}}
{{- end -}}
{{- $operations := int ((.Values.config.operations | default dict).port | default 9090) -}}
{{- if ne (int .Values.service.operations.port) $operations -}}
{{- fail (printf "service.operations.port must be %d, the port of config.operations: its Service is headless, so that who asks connects to the pods themselves." $operations) -}}
{{- end -}}
{{- with .Values.autoscaling -}}
{{- if .enabled -}}
{{- if and (le (int .cpuPercent) 0) (not .custom.metric) -}}
{{- fail "autoscaling.enabled: by what? Set cpuPercent, or custom.metric." -}}
{{- end -}}
{{- if and .custom.metric (not .custom.averageValue) -}}
{{- fail "autoscaling.custom.metric: averageValue must say what to aim at." -}}
{{- end -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail "autoscaling.minReplicas is more than maxReplicas." -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.istio.authorizationPolicy.enabled (not .Values.istio.authorizationPolicy.rules) -}}
{{- fail "istio.authorizationPolicy.rules is empty: the gateway would ask about nothing, and let everything pass. [{}] is every request." -}}
{{- end -}}
{{- if .Values.sidecar.enabled -}}
{{- $joined := list -}}
{{- with .Values.envoyGateway -}}
{{- if .securityPolicy.enabled -}}{{- $joined = append $joined "envoyGateway.securityPolicy" -}}{{- end -}}
{{- if .backendTlsPolicy.enabled -}}{{- $joined = append $joined "envoyGateway.backendTlsPolicy" -}}{{- end -}}
{{- if .referenceGrants -}}{{- $joined = append $joined "envoyGateway.referenceGrants" -}}{{- end -}}
{{- end -}}
{{- with .Values.istio -}}
{{- if .authorizationPolicy.enabled -}}{{- $joined = append $joined "istio.authorizationPolicy" -}}{{- end -}}
{{- if .destinationRule.enabled -}}{{- $joined = append $joined "istio.destinationRule" -}}{{- end -}}
{{- if .inMesh.enabled -}}{{- $joined = append $joined "istio.inMesh" -}}{{- end -}}
{{- end -}}
{{- if $joined -}}
{{- fail (printf "sidecar.enabled: no Service reaches the service itself, and %s would need one." (join ", " $joined)) -}}
{{- end -}}
{{- end -}}
{{- /* Selectors are made of the first three, and cannot be changed once they are there. */ -}}
{{- $ours := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" -}}
{{- range $label, $_ := .Values.podLabels -}}
{{- if has $label $ours -}}{{- fail (printf "podLabels: %s is the chart's own, by which pods are found." $label) -}}{{- end -}}
{{- end -}}
{{- $ours = concat $ours (list "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart") -}}
{{- range $label, $_ := .Values.commonLabels -}}
{{- if has $label $ours -}}{{- fail (printf "commonLabels: %s is the chart's own." $label) -}}{{- end -}}
{{- end -}}
{{- end }}
