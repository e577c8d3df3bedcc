{{/* What the server and the making of vectors both read. */}}
{{- define "lockstep.mounts" -}}
- {name: config, mountPath: /etc/lockstep, readOnly: true}
- {name: cache, mountPath: /var/cache/lockstep}
- {name: tmp, mountPath: /tmp}
{{- if ne .Values.content.source "image" }}
- {name: content, mountPath: /content, readOnly: true}
{{- end }}
{{- end }}

{{- define "lockstep.volumes" -}}
{{- $values := .root.Values }}
{{- if eq $values.auth.mode "tokens" }}
- name: tokens
  secret:
    secretName: {{ include "lockstep.tokensSecret" .root }}
    items: [{key: {{ empty $values.auth.tokens.existingSecret | ternary "tokens.yaml" $values.auth.tokens.key }}, path: tokens.yaml}]
{{- end }}
- name: config
  configMap: {name: {{ include "lockstep.trackname" . }}}
- name: cache
  emptyDir: {sizeLimit: {{ $values.index.cacheSizeLimit }}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- if eq $values.state.kind "postgres" }}
- name: state # Only the file by which neighbours on the same machine find the port.
  emptyDir: {sizeLimit: 16Mi}
{{- else if not $values.state.files.persistence.enabled }}
- name: state
  emptyDir: {sizeLimit: {{ $values.state.files.persistence.size }}}
{{- end }}
{{- if ne $values.content.source "image" }}
- name: content
  {{- include "lockstep.contentVolume" .root | trim | nindent 2 }}
{{- end }}
{{- if and (eq $values.content.source "git") $values.content.git.existingSecret }}
- name: git
  secret:
    secretName: {{ $values.content.git.existingSecret }}
    items: [{key: password, path: password}]
{{- end }}
{{- with $values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "lockstep.contentVolume" -}}
{{- with .Values.content }}
{{- if eq .source "files" }}
configMap:
  name: {{ include "lockstep.fullname" $ }}-content
  items:
    {{- range $at, $path := keys .files | sortAlpha }}
    - {key: file-{{ $at }}, path: {{ $path | quote }}}
    {{- end }}
{{- else if eq .source "configMap" }}
configMap:
  {{- toYaml .configMap | nindent 2 }}
{{- else if eq .source "claim" }}
persistentVolumeClaim: {claimName: {{ .claim.name }}, readOnly: true}
{{- else if eq .source "ociImage" }}
image:
  {{- toYaml .ociImage | nindent 2 }}
{{- else if eq .source "git" }}
emptyDir: {sizeLimit: 1Gi}
{{- end }}
{{- end }}
{{- end }}

{{/* Clones the content: once, so that the vectors can be made, and then as a sidecar. */}}
{{- define "lockstep.gitsync" -}}
{{- $git := .root.Values.content.git }}
- name: {{ .once | ternary "clone" "sync" }}
  image: {{ $git.image | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  {{- if not .once }}
  restartPolicy: Always
  {{- end }}
  securityContext:
    {{- toYaml .root.Values.securityContext | nindent 4 }}
  env:
    - {name: GITSYNC_REPO, value: {{ $git.repository | quote }}}
    - {name: GITSYNC_REF, value: {{ $git.ref | quote }}}
    - {name: GITSYNC_ROOT, value: /content/git}
    - {name: GITSYNC_LINK, value: current}
    - {name: GITSYNC_DEPTH, value: "1"}
    - {name: GITSYNC_PERIOD, value: {{ $git.period | quote }}}
    - {name: GITSYNC_ONE_TIME, value: {{ .once | quote }}}
    {{- with $git.existingSecret }}
    - {name: GITSYNC_USERNAME, valueFrom: {secretKeyRef: {name: {{ . }}, key: username}}}
    - {name: GITSYNC_PASSWORD_FILE, value: /etc/git/password}
    {{- end }}
  resources:
    {{- toYaml $git.resources | nindent 4 }}
  volumeMounts:
    - {name: content, mountPath: /content}
    - {name: tmp, mountPath: /tmp}
    {{- if $git.existingSecret }}
    - {name: git, mountPath: /etc/git, readOnly: true}
    {{- end }}
{{- end }}
