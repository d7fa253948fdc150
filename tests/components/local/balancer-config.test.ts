import { renderBalancerConfig } from "../../../components/local/balancer-config";
import { renderRealSources } from "../../../components/local/real-sources";

test("the balancer's configuration", () => {
  const backends = [
    { name: "jump-1", address: "10.88.0.11" },
    { name: "jump-3", address: "10.88.0.13" },
  ];
  expect(renderBalancerConfig(backends)).toMatchInlineSnapshot(`
   "global
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
       server jump-1 10.88.0.11:22 check port 8022
       server jump-3 10.88.0.13:22 check port 8022

   backend any
       balance leastconn
       server jump-1 10.88.0.11:22
       server jump-3 10.88.0.13:22
   "
  `);
});

test("the host's table that keeps the machines' sources", () => {
  const table = renderRealSources({ network: "ctm-x", bridgeAddress: "10.88.7.1/24" });
  expect(table).toContain('oifname "ctm-x" ip saddr 10.88.7.0/24 ip daddr 10.0.0.0/16 snat to ip saddr');
  // Made anew as a whole, whether or not it was there.
  expect(table).toMatch(
    /^table ip containarium-ctm-x \{\}\ndelete table ip containarium-ctm-x\ntable ip containarium-ctm-x \{/,
  );
});
