import { describe, expect, test } from 'vitest'
import { callbackUrlFault } from '../../src/jobs/callback-url.ts'

const faultOf = (url: string) => callbackUrlFault(url, { allowLoopback: false })
const faultInDevelopment = (url: string) => callbackUrlFault(url, { allowLoopback: true })

const PRIVATE = 'URL should lead to a public address'

/** This machine, in all notations that a URL allows. */
const LOOPBACK = [
  '127.0.0.1',
  '127.1',
  '127.255.255.254',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '127.0.0.1.',
  '%31%32%37.0.0.1',
  '１２７.0.0.1',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  'localhost',
  'LOCALHOST',
]

/** Networks into which no job may be posted. */
const PRIVATE_HOSTS = [
  ...LOOPBACK,
  'localhost.',
  'a.localhost',
  '0.0.0.0',
  '0',
  '10.0.0.1',
  '167772161',
  '012.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '0xc0a80101',
  '169.254.169.254',
  '100.64.0.1',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '[::]',
  '[::ffff:10.0.0.1]',
  '[::ffff:a9fe:a9fe]',
  '[::10.0.0.1]',
  '[64:ff9b::10.0.0.1]',
  '[2002:a00:1::]',
  '[2001:db8::1]',
  '[2001::1]',
  '[100::1]',
  '[fc00::1]',
  '[fd12:3456::1]',
  '[fe80::1]',
  '[fec0::1]',
  '[ff02::1]',
  'router',
  'db.internal',
  'printer.local',
  'nas.lan',
  'box.home.arpa',
  'metadata.google.internal',
  'intranet.corp.',
  'vault.private',
  'localhost.localdomain',
  'kubernetes.default.svc',
  'shop.test',
  'shop.invalid',
  'xn--bcher-kva.example',
  'shop.onion',
  '1.0.0.127.in-addr.arpa',
  '168.63.129.16',
  // Extra dots, which some resolvers drop.
  'localhost..',
  'localhost...',
  'a.localhost..',
  '127.0.0.1..',
  '0x7f.1..',
  '10.0.0.1...',
  'example..com',
  '.example.com',
  // Services whose names spell out the address that they resolve to.
  '127.0.0.1.nip.io',
  '10.0.0.1.NIP.IO',
  '127.0.0.1.nip.io.',
  '127.0.0.1.nip。io',
  '127.0.0.1.nip%2Eio',
  'magic-7f000001.nip.io',
  'app-192-168-1-1.sslip.io',
  '--1.sslip.io',
  'sslip.io',
  'www.10.0.0.1.xip.io',
  '10-0-0-1.my.local-ip.co',
  '10-0-0-1.local-ip.sh',
  '10.0.0.1.traefik.me',
  '7f000001.c0a80001.rbndr.us',
  'make-1.2.3.4-rebind-169.254-169.254-rr.1u.ms',
  // Public names that resolve to this machine.
  'localtest.me',
  'readme.localtest.me',
  'lvh.me',
  'a.b.lvh.me',
  'vcap.me',
  'lacolhost.com',
  'fuf.me',
  'local.gd',
  'lcl.host',
  'app.ddev.site',
  '127-0-0-1.org.uk',
  'bugbounty.dod.network',
  'localh.st',
  'spoofed.burpcollaborator.net',
  'spoofed.oastify.com',
]

test.each([
  'https://example.com/hook',
  'https://hooks.example.co.uk:8443/a/b?c=d#e',
  'https://8.8.8.8/hook',
  'https://[2606:4700:4700::1111]/hook',
  'https://[::ffff:8.8.8.8]/',
  'https://xn--bcher-kva.example.com/',
  'https://svc.example.com/',
  'https://localhost.example.com/',
  'https://127.0.0.1.example.com/',
  'https://example.com./hook',
  'https://nip.io.example.com/',
  'https://notnip.io/',
  'https://mylvh.me/',
  'https://localtest.me.uk/',
  'https://private.example.com/',
])('%s is accepted', (url) => {
  expect(faultOf(url)).toBeUndefined()
})

test.each(PRIVATE_HOSTS)('no job is posted to %s', (host) => {
  expect(faultOf(`https://${host}/hook`)).toBe(PRIVATE)
  expect(faultOf(`https://${host}:8443/hook`)).toBe(PRIVATE)
})

test.each([
  'http://example.com/hook',
  'ftp://example.com/hook',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/plain,x',
])('%s is refused, because it is not https', (url) => {
  expect(faultOf(url)).toBe('URL should be https')
  expect(faultInDevelopment(url)).toBe('URL should be https')
})

test.each([
  '',
  'example.com/hook',
  '/hook',
  'https://',
  'https://exa mple.com/',
  'https://[::1/',
  'https://1.2.3.400/',
])('%j is refused, because it is not a URL', (url) => {
  expect(faultOf(url)).toBe('Input should be a valid URL')
})

test.each(['https://user@example.com/', 'https://user:secret@example.com/', 'https://:secret@example.com/'])(
  '%s is refused, because it holds a credential',
  (url) => {
    expect(faultOf(url)).toBe('URL should not carry a name or password')
  },
)

describe('In development', () => {
  test.each(LOOPBACK)('a job may be posted to %s, also by http', (host) => {
    expect(faultInDevelopment(`http://${host}:8080/hook`)).toBeUndefined()
    expect(faultInDevelopment(`https://${host}/hook`)).toBeUndefined()
  })

  test.each(PRIVATE_HOSTS.filter((host) => !LOOPBACK.includes(host)))('no job is posted to %s', (host) => {
    expect(faultInDevelopment(`https://${host}/hook`)).toBe(PRIVATE)
    expect(faultInDevelopment(`http://${host}/hook`)).toBeDefined()
  })

  test('a credential in the URL is refused for this machine, too', () => {
    expect(faultInDevelopment('http://user:secret@127.0.0.1:8080/')).toBe(
      'URL should not carry a name or password',
    )
  })
})
