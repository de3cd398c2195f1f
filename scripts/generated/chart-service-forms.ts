// Values of the Helm chart about the service: what runs, where policies, secrets and data come from. values.yaml has their defaults, so nothing is required.
import { z } from 'zod';
import { DURATION, FILE_NAME, flag, HOST_PORT, handedOn, handedOnList, part, port, secretKey, text, VARIABLE } from './chart-parts.ts';

const signIn = (about: string) =>
  part(
    {
      secret: text('Name of the Secret; empty: no sign-in.'),
      userKey: text('Key with the ACL user; empty: the default user.'),
      passwordKey: text('Key with the password.'),
    },
    about,
  );
const caSource = (about: string) =>
  part({ secret: text('Secret that has it.'), configMap: text('ConfigMap that has it.'), key: text('Key in it.') }, about);
const listenerTls = (about: string) =>
  part(
    {
      secret: text('Secret of the type kubernetes.io/tls; empty: plain text, unless `certificate` is for this listener.'),
      clientCa: caSource('CA of the certificates that gateways show: mutual TLS.'),
    },
    about,
  );

export const SERVICE_FORMS = {
  image: part(
    {
      repository: text('The image that the Dockerfile builds, in a registry of yours.'),
      tag: text("Its tag; the chart's appVersion where it is empty."),
      digest: z
        .string()
        .regex(/^(sha256:[0-9a-f]{64})?$/)
        .describe('Its digest, which goes before the tag.'),
      pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).describe('When it is pulled.'),
    },
    'What runs.',
  ),
  imagePullSecrets: handedOnList('Secrets to pull the image with.'),
  policies: part(
    {
      source: z.enum(['image', 'configMap', 'volume', 'url']).describe('Where the policy comes from.'),
      configMap: part(
        {
          name: text('A ConfigMap with a compiled bundle; empty: the chart makes one of `bundleBase64`.'),
          key: FILE_NAME.describe('Its key.'),
          bundleBase64: z
            .string()
            .max(430_080)
            .describe('A bundle in base64, by --set-file: 420 KiB at most, for Helm keeps it twice in a Secret of 1 MiB.'),
        },
        'By ConfigMap; replaced bundles are followed.',
      ),
      volume: part(
        {
          source: handedOn('Source of a volume, for example `{persistentVolumeClaim: {claimName: policies}}`.'),
          path: text('The bundle in it.'),
        },
        'By a volume.',
      ),
      url: part(
        { bundle: text('Its URL.'), tokenSecret: secretKey('Bearer token that the server asks for.') },
        'By a bundle server; polling, signatures and TLS are in `config.policy`.',
      ),
    },
    'Where policies come from.',
  ),
  secretEnv: z
    .array(z.strictObject({ name: VARIABLE, secret: z.string().min(1), key: z.string().min(1) }))
    .describe('Variables of the service from Secrets: `{name: COUNTERSIGN_…, secret, key}`.'),
  secretFiles: z.array(FILE_NAME).describe('Secrets as files in `/etc/countersign/secrets/<name>/`.'),
  redis: part(
    {
      mode: z
        .enum(['none', 'standalone', 'sentinel', 'cluster', 'dev'])
        .describe('How Redis runs; `none`: counters in the memory of each pod.'),
      host: text('Redis, or the first node of the cluster.'),
      port: port('Its port.'),
      nodes: z.array(HOST_PORT).describe('Sentinels, or further nodes of the cluster: `host:port`.'),
      masterName: text('The group that the sentinels watch.'),
      database: z.int().min(0).max(1_000_000).describe('Number of the database; a cluster has none.'),
      urlSecret: secretKey('The whole URL, in place of `host`, `port` and `auth`.'),
      auth: signIn('ACL user and password of Redis.'),
      sentinelAuth: signIn('What the sentinels themselves ask for.'),
      tls: part({ enabled: flag('TLS to Redis.'), ca: caSource('CA of its certificate; empty: those of the system.') }, 'TLS to Redis.'),
      dev: part(
        { image: text('Its image.'), resources: handedOn('Its resources.') },
        'The Redis of `mode: dev`: no password, keeps nothing.',
      ),
    },
    'Where counters and used proofs live, which replicas must share.',
  ),
  tls: part({ grpc: listenerTls('Of the gRPC listener.'), http: listenerTls('Of the HTTP listener.') }, 'TLS of the listeners.'),
  certificate: part(
    {
      enabled: flag('Ask cert-manager for a certificate.'),
      listeners: z.array(z.enum(['grpc', 'http'])).describe('The listeners that it is for.'),
      mutual: flag('Gateways must show a certificate of the same CA, where `tls.<listener>.clientCa` names no other.'),
      issuerRef: part(
        { name: text('Its name.'), kind: text('`Issuer` or `ClusterIssuer`.'), group: text('Its API group.') },
        'Who issues it.',
      ),
      duration: DURATION.describe('How long it is valid.'),
      renewBefore: DURATION.describe('How long before its end it is replaced.'),
      dnsNames: z.array(z.string()).describe('Names beside those of the Services.'),
    },
    'A Certificate of cert-manager.',
  ),
  geoip: part(
    {
      databases: z
        .array(
          z.strictObject({
            file: FILE_NAME,
            from: z.string().optional(),
            entry: z.string().optional(),
            sha256: z
              .string()
              .regex(/^[0-9a-f]{64}$/)
              .optional(),
          }),
        )
        .describe('Files in `/var/lib/geoip`, by their order; `from`, `entry`, `sha256` as of `countersign geoip update`.'),
      update: z.enum(['volume', 'initContainer', 'cronJob']).describe('Who brings them.'),
      volume: handedOn('Source of the volume that has them (`update: volume`).'),
      schedule: text('When they are fetched (`update: cronJob`).'),
      claim: part(
        {
          storageClassName: text('Its class; empty: the default one.'),
          accessModes: z.array(z.string()).describe('ReadWriteMany where the pods may be on several nodes.'),
          size: text('Its size.'),
        },
        'The claim that the CronJob fills.',
      ),
    },
    'Address databases.',
  ),
} as const;
