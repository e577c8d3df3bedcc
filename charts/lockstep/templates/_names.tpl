{{- define "lockstep.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "lockstep.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "lockstep.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "lockstep.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What the objects of a track are called. Takes (dict "root" $ "track" "stable"). */}}
{{- define "lockstep.trackname" -}}
{{- $full := include "lockstep.fullname" .root }}
{{- if eq .track "stable" }}{{ $full }}{{ else }}{{ $full }}-{{ .track }}{{ end }}
{{- end }}

{{/* What finds all pods of the server, whatever their track. */}}
{{- define "lockstep.selector" -}}
app.kubernetes.io/name: {{ include "lockstep.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{- define "lockstep.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "lockstep.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "lockstep.serviceaccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "lockstep.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The image of a track. */}}
{{- define "lockstep.image" -}}
{{- $own := .root.Values.image }}
{{- $over := eq .track "canary" | ternary .root.Values.tracks.canary.image dict }}
{{- $repository := default $own.repository $over.repository }}
{{- /* A tag of the canary must not lose against the stable track's digest. */}}
{{- $digest := $own.digest }}
{{- if or $over.tag $over.digest }}
{{- $digest = $over.digest }}
{{- end }}
{{- if $digest }}
{{- printf "%s@%s" $repository $digest }}
{{- else }}
{{- printf "%s:%s" $repository (coalesce $over.tag $own.tag .root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* The tracks that there are, as YAML. */}}
{{- define "lockstep.tracks" -}}
- stable
{{- if .Values.tracks.canary.enabled }}
- canary
{{- end }}
{{- end }}

{{- define "lockstep.graceSeconds" -}}
{{- with .Values.shutdown }}
{{- add .preStopSeconds .drainSeconds .flushSeconds 5 }}
{{- end }}
{{- end }}

{{/* The Secret with the tokens of callers. */}}
{{- define "lockstep.tokensSecret" -}}
{{- default (printf "%s-tokens" (include "lockstep.fullname" .)) .Values.auth.tokens.existingSecret }}
{{- end }}

{{/* The Secret and the key of the token that `helm test` shows, as YAML; nothing if none is known. */}}
{{- define "lockstep.testToken" -}}
{{- $auth := .Values.auth }}
{{- if .Values.test.token.existingSecret }}
{{- dict "name" .Values.test.token.existingSecret "key" .Values.test.token.key | toYaml }}
{{- else if and (eq $auth.mode "tokens") (not $auth.tokens.existingSecret) }}
{{- dict "name" (include "lockstep.tokensSecret" .) "key" "token" | toYaml }}
{{- end }}
{{- end }}

{{/* The Secret with the address of the state. */}}
{{- define "lockstep.stateSecret" -}}
{{- default (printf "%s-database" (include "lockstep.fullname" .)) .Values.state.postgres.existingSecret }}
{{- end }}
