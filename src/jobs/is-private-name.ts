/**
 * Endings that no registry assigns to hosts: such names lead to this machine, into a private network, or nowhere. See
 * RFC 6761; `svc` is Kubernetes', and `arpa` also holds `home.arpa`.
 */
const NEVER_PUBLIC = [
  'arpa',
  'corp',
  'example',
  'home',
  'internal',
  'intranet',
  'invalid',
  'lan',
  'local',
  'localdomain',
  'localhost',
  'onion',
  'private',
  'svc',
  'test',
]

/**
 * Public names that resolve to an address spelled out in them, or that alternate between addresses. Maintained lists
 * with new ones: https://github.com/EvilBMP/local-dns, `localAliases` in https://github.com/darkreader/darkreader, and
 * "Server Side Request Forgery" in https://github.com/swisskyrepo/PayloadsAllTheThings.
 */
const SPELLING_AN_ADDRESS = [
  '1u.ms',
  'backname.io',
  'ip.es.io',
  'local-ip.co',
  'local-ip.sh',
  'nip.io',
  'plex.direct',
  'rbndr.us',
  'rebind.network',
  'sslip.io',
  'traefik.me',
  'xip.io',
  'xip.name',
]

/** Public names that point at loopback, from the same lists. */
const POINTING_AT_LOOPBACK = [
  '127-0-0-1.org.uk',
  '127.ca',
  '42foo.com',
  'bugbounty.dod.network',
  'burpcollaborator.net',
  'colasloth.com',
  'ddev.site',
  'devlocal.dev',
  'docksal.site',
  'domaincontrol.com',
  'fbi.com',
  'fuf.me',
  'lacolhost.com',
  'lcl.host',
  'lndo.site',
  'local.gd',
  'local.sisteminha.com',
  'localfabriek.nl',
  'localh.st',
  'localho.st',
  'localhost.direct',
  'localhost.tv',
  'localhst.co.uk',
  'localmachine.info',
  'localmachine.name',
  'localtest.me',
  'lvh.me',
  'mail.ebc.apple.com',
  'mouse-potato.com',
  'oastify.com',
  'smackaho.st',
  'ulh.us',
  'vcap.me',
  'yoogle.com',
]

const PRIVATE = new Set([...NEVER_PUBLIC, ...SPELLING_AN_ADDRESS, ...POINTING_AT_LOOPBACK])

/**
 * Whether a URL's host name is known to lead to a private network. An unknown name may do so too: a Worker cannot
 * resolve names, and the owner of a name can change its address at any time.
 */
export function isPrivateName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.')
  // Empty labels are invalid, but a resolver that drops extra dots would read `localhost..` as `localhost`.
  if (labels.length < 2 || labels.includes('')) return true
  return labels.some((_, start) => PRIVATE.has(labels.slice(start).join('.')))
}
