{{- define "countersign.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for what is appended: a CronJob, -geoip, has 52 characters at most, a Service, -grpc-headless, 63. A Service has no dots. */}}
{{- define "countersign.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- regexReplaceAll "-+$" (.Values.fullnameOverride | trunc 46) "" }}
{{- else -}}
{{- $name := include "countersign.name" . -}}
{{- $whole := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- regexReplaceAll "-+$" ($whole | replace "." "-" | trunc 46) "" }}
{{- end -}}
{{- end }}

{{- define "countersign.selector" -}}
app.kubernetes.io/name: {{ include "countersign.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "countersign.labels" -}}
{{ include "countersign.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The pods that decide; a dev Redis, a job and a test have another component. */}}
{{- define "countersign.pods" -}}
{{ include "countersign.selector" . }}
app.kubernetes.io/component: pdp
{{- end }}

{{- define "countersign.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "countersign.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{- default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end }}

{{- define "countersign.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest }}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Names of a Service, from the short one to the whole one: (list $ "<service>") */}}
{{- define "countersign.hosts" -}}
{{- $root := index . 0 -}}
{{- $service := index . 1 -}}
{{- $in := printf "%s.%s" $service $root.Release.Namespace -}}
{{- list $service $in (printf "%s.svc" $in) (printf "%s.svc.%s" $in $root.Values.service.clusterDomain) | toYaml -}}
{{- end }}
