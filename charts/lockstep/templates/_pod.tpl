{{/* The pod template of a track. */}}
{{- define "lockstep.pod" -}}
{{- $root := .root }}
{{- $values := $root.Values }}
metadata:
  labels:
    {{- include "lockstep.labels" $root | nindent 4 }}
    app.kubernetes.io/component: server
    track: {{ .track }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: lockstep
    checksum/config: {{ include "lockstep.checksum" . }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "lockstep.serviceaccount" $root }}
  automountServiceAccountToken: false
  # A Service called lockstep would set LOCKSTEP_PORT in every pod, and the server refuses what is no setting.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "lockstep.graceSeconds" $root }}
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- toYaml $values.podSecurityContext | nindent 4 }}
  {{- if or (eq $values.content.source "git") $values.index.initContainer }}
  initContainers:
    {{- if eq $values.content.source "git" }}
    {{- include "lockstep.gitsync" (dict "root" $root "once" true) | trim | nindent 4 }}
    {{- include "lockstep.gitsync" (dict "root" $root "once" false) | trim | nindent 4 }}
    {{- end }}
    {{- if $values.index.initContainer }}
    - name: index
      image: {{ include "lockstep.image" . | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: [index, --config, /etc/lockstep/lockstep.yaml]
      securityContext:
        {{- toYaml $values.securityContext | nindent 8 }}
      resources:
        {{- toYaml $values.indexResources | nindent 8 }}
      volumeMounts:
        {{- include "lockstep.mounts" $root | nindent 8 }}
    {{- end }}
  {{- end }}
  containers:
    - name: lockstep
      image: {{ include "lockstep.image" . | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: [serve, --config, /etc/lockstep/lockstep.yaml]
      workingDir: /var/lib/lockstep
      securityContext:
        {{- toYaml $values.securityContext | nindent 8 }}
      ports:
        - {name: http, containerPort: 8080}
        - {name: admin, containerPort: 8081}
      env:
        {{- include "lockstep.env" . | trim | nindent 8 }}
      startupProbe:
        httpGet: {path: /startupz, port: admin}
        {{- toYaml $values.probes.startup | nindent 8 }}
      readinessProbe:
        httpGet: {path: /readyz, port: admin}
        {{- toYaml $values.probes.readiness | nindent 8 }}
      livenessProbe:
        httpGet: {path: /healthz, port: admin}
        {{- toYaml $values.probes.liveness | nindent 8 }}
      lifecycle:
        preStop:
          # Until endpoints are updated everywhere, requests still come here.
          sleep: {seconds: {{ $values.shutdown.preStopSeconds }}}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      volumeMounts:
        {{- include "lockstep.mounts" $root | nindent 8 }}
        - {name: state, mountPath: /var/lib/lockstep}
        {{- if eq $values.auth.mode "tokens" }}
        - {name: tokens, mountPath: /etc/lockstep-tokens, readOnly: true}
        {{- end }}
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    {{- include "lockstep.volumes" . | trim | nindent 4 }}
  {{- if $values.topologySpread }}
  topologySpreadConstraints:
    {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - topologyKey: {{ $key }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "lockstep.selector" $root | nindent 10 }}
          track: {{ $.track }}
      {{- if eq $values.state.kind "postgres" }}
      # Pods of the version that is going must not count.
      matchLabelKeys: [pod-template-hash]
      {{- end }}
    {{- end }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Who the pod is, where the state is, and where telemetry goes. */}}
{{- define "lockstep.env" -}}
{{- $root := .root }}
{{- $values := $root.Values }}
{{- $telemetry := $values.telemetry }}
{{- with $telemetry.environment }}
- {name: DEPLOYMENT_ENVIRONMENT, value: {{ . | quote }}}
{{- end }}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
- {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
- {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
# The name only here: among the resource's attributes it would win over everything else.
- {name: OTEL_SERVICE_NAME, value: {{ include "lockstep.fullname" $root }}}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: >-
    service.namespace=$(POD_NAMESPACE),service.instance.id=$(POD_NAMESPACE).$(POD_NAME).lockstep,k8s.namespace.name=$(POD_NAMESPACE),k8s.pod.name=$(POD_NAME),k8s.pod.uid=$(POD_UID),k8s.node.name=$(NODE_NAME),k8s.container.name=lockstep,lockstep.track={{ .track }}
    {{- with $telemetry.environment }},deployment.environment.name=$(DEPLOYMENT_ENVIRONMENT){{ end }}
{{- with $telemetry.otlp }}
{{- if .endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: OTEL_EXPORTER_OTLP_PROTOCOL, value: {{ .protocol }}}
- {name: OTEL_METRICS_EXPORTER, value: {{ has $telemetry.metrics (list "otlp" "both") | ternary "otlp" "none" }}}
- {name: OTEL_LOGS_EXPORTER, value: {{ .logs | ternary "otlp" "none" }}}
# Autoscaling and rollout gates read these: a minute, the default, is too late.
- {name: OTEL_METRIC_EXPORT_INTERVAL, value: "15000"}
{{- if .headersSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom: {secretKeyRef: {name: {{ .headersSecret }}, key: headers}}
{{- end }}
{{- end }}
{{- end }}
{{- if eq $values.state.kind "postgres" }}
- name: LOCKSTEP_STATE
  valueFrom: {secretKeyRef: {name: {{ include "lockstep.stateSecret" $root }}, key: {{ empty $values.state.postgres.existingSecret | ternary "url" $values.state.postgres.key }}}}
{{- end }}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
