{{- define "countersign.env" -}}
- name: COUNTERSIGN_CONFIG
  value: /etc/countersign/countersign.yaml
{{- include "countersign.redisEnv" . }}
{{- range .Values.secretEnv }}
- name: {{ .name }}
  valueFrom: { secretKeyRef: { name: {{ quote .secret }}, key: {{ quote .key }} } }
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "countersign.volumes" -}}
{{- $name := include "countersign.fullname" . -}}
- name: config
  configMap: { name: {{ $name }} }
- name: state
  emptyDir: { sizeLimit: 1Gi }
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
{{- with .Values.policies }}
{{- if eq .source "configMap" }}
- name: policies
  configMap: { name: {{ default (printf "%s-policies" $name) .configMap.name | quote }} }
{{- else if eq .source "volume" }}
- name: policies
  {{- toYaml .volume.source | nindent 2 }}
{{- else if and (eq .source "url") .url.tokenSecret.name }}
- name: policy-token
  secret: { secretName: {{ quote .url.tokenSecret.name }} }
{{- end }}
{{- end }}
{{- range $listener := list "http" "grpc" }}
{{- with include "countersign.tlsSecret" (list $ $listener) }}
- name: tls-{{ $listener }}
  secret: { secretName: {{ quote . }} }
{{- end }}
{{- with include "countersign.clientCa" (list $ $listener) }}
- name: tls-{{ $listener }}-ca
  {{- . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.redis.tls.ca }}
{{- if .configMap }}
- name: redis-ca
  configMap: { name: {{ quote .configMap }}, items: [{ key: {{ quote .key }}, path: ca.crt }] }
{{- else if .secret }}
- name: redis-ca
  secret: { secretName: {{ quote .secret }}, items: [{ key: {{ quote .key }}, path: ca.crt }] }
{{- end }}
{{- end }}
{{- range $index, $secret := .Values.secretFiles }}
- name: secret-{{ $index }}
  secret: { secretName: {{ quote $secret }} }
{{- end }}
{{- if .Values.geoip.databases }}
- name: geoip
  {{- if eq .Values.geoip.update "volume" }}
  {{- toYaml .Values.geoip.volume | nindent 2 }}
  {{- else if eq .Values.geoip.update "cronJob" }}
  persistentVolumeClaim: { claimName: {{ $name }}-geoip, readOnly: true }
  {{- else }}
  emptyDir: { sizeLimit: {{ quote .Values.geoip.claim.size }} }
  {{- end }}
{{- end }}
{{- if .Values.sidecar.enabled }}
{{- if .Values.sidecar.files }}
- name: gateway-files
  configMap: { name: {{ $name }}-gateway }
{{- end }}
{{- with .Values.sidecar.volumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "countersign.volumeMounts" -}}
- { name: config, mountPath: /etc/countersign/countersign.yaml, subPath: countersign.yaml, readOnly: true }
- { name: state, mountPath: /var/lib/countersign }
- { name: tmp, mountPath: /tmp }
{{- with .Values.policies }}
{{- if or (eq .source "configMap") (eq .source "volume") }}
- { name: policies, mountPath: /etc/countersign/policies, readOnly: true }
{{- else if and (eq .source "url") .url.tokenSecret.name }}
- { name: policy-token, mountPath: /etc/countersign/policy-token, readOnly: true }
{{- end }}
{{- end }}
{{- range $listener := list "http" "grpc" }}
{{- if include "countersign.tlsSecret" (list $ $listener) }}
- { name: tls-{{ $listener }}, mountPath: /etc/countersign/tls/{{ $listener }}, readOnly: true }
{{- end }}
{{- if include "countersign.clientCa" (list $ $listener) }}
- { name: tls-{{ $listener }}-ca, mountPath: /etc/countersign/tls/{{ $listener }}-ca, readOnly: true }
{{- end }}
{{- end }}
{{- if or .Values.redis.tls.ca.secret .Values.redis.tls.ca.configMap }}
- { name: redis-ca, mountPath: /etc/countersign/redis-ca, readOnly: true }
{{- end }}
{{- range $index, $secret := .Values.secretFiles }}
- { name: secret-{{ $index }}, mountPath: /etc/countersign/secrets/{{ $secret }}, readOnly: true }
{{- end }}
{{- if .Values.geoip.databases }}
- { name: geoip, mountPath: /var/lib/geoip, readOnly: true }
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* On which nodes a pod may run that is not the service: one that is not let onto ours would wait for ever. */}}
{{- define "countersign.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A run of `countersign geoip update` for one database: (list $ <database> <name>) */}}
{{- define "countersign.geoipContainer" -}}
{{- $root := index . 0 -}}
{{- $database := index . 1 -}}
name: {{ index . 2 }}
image: {{ include "countersign.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
args:
  - geoip
  - update
  - --from
  - {{ $database.from | quote }}
  - --to
  - /var/lib/geoip/{{ $database.file }}
  {{- with $database.entry }}
  - --entry
  - {{ . | quote }}
  {{- end }}
  {{- with $database.sha256 }}
  - --sha256
  - {{ . | quote }}
  {{- end }}
securityContext: {{- toYaml $root.Values.securityContext | nindent 2 }}
resources: { requests: { cpu: 100m, memory: 512Mi }, limits: { memory: 1Gi } }
volumeMounts:
  - { name: geoip, mountPath: /var/lib/geoip }
  - { name: tmp, mountPath: /tmp }
{{- end }}

{{/* The service itself. */}}
{{- define "countersign.container" -}}
{{- $config := .Values.config -}}
name: countersign
image: {{ include "countersign.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env: {{- include "countersign.env" . | nindent 2 }}
ports:
  - { name: http, containerPort: {{ int (($config.http | default dict).port | default 8080) }} }
  - { name: grpc, containerPort: {{ int (($config.grpc | default dict).port | default 9191) }} }
  - { name: operations, containerPort: {{ int (($config.operations | default dict).port | default 9090) }} }
startupProbe:
  httpGet: { path: /livez, port: operations }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: operations }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: operations }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- if and (gt (int .Values.lifecycle.preStopSeconds) 0) (not .Values.sidecar.enabled) }}
lifecycle:
  preStop: { sleep: { seconds: {{ int .Values.lifecycle.preStopSeconds }} } }
{{- end }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
resources: {{- toYaml .Values.resources | nindent 2 }}
volumeMounts: {{- include "countersign.volumeMounts" . | nindent 2 }}
{{- end }}
