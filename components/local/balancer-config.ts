/** A server that the balancer sends people to. */
export interface Backend {
  name: string;
  address: string;
}

/**
 * haproxy's configuration. Pure.
 *
 * A server is sent people while it says that it is ready (startup/containarium-fleet); one that dies is left out after
 * two seconds. Sessions of a server that is no longer ready are not cut: it may only be running its startup again. When
 * none is ready, all are tried, as Google's balancer does: what one of them can still do is better than nothing.
 */
export function renderBalancerConfig(backends: readonly Backend[]): string {
  const ready = backends.map(({ name, address }) => `    server ${name} ${address}:22 check port 8022`);
  const any = backends.map(({ name, address }) => `    server ${name} ${address}:22`);
  return `global
    log stdout format short daemon notice
    maxconn 4096
    user haproxy
    group haproxy

defaults
    mode tcp
    log global
    option clitcpka
    option srvtcpka
    option redispatch
    retries 2
    timeout connect 2s
    timeout check 3s
    # An SSH session may be silent for as long as its owner likes; who is gone is found out by TCP's keepalives.
    timeout client 24d
    timeout server 24d
    timeout tunnel 24d

frontend ssh
    bind :22
    use_backend any if { nbsrv(ready) eq 0 }
    default_backend ready

backend ready
    balance leastconn
    option httpchk GET /readyz
    http-check expect status 200
    default-server inter 1s fastinter 500ms fall 2 rise 2
${ready.join("\n")}

backend any
    balance leastconn
${any.join("\n")}
`;
}
