/** Endings that no registry gives out: such names lead to this machine or into a private network. */
const NEVER_PUBLIC = [
  'corp',
  'home',
  'home.arpa',
  'internal',
  'intranet',
  'lan',
  'local',
  'localdomain',
  'localhost',
  'private',
]

/**
 * Public names that resolve to an address spelled out in them, or to one address after another. These lists are kept up, and
 * will know of new ones: https://github.com/EvilBMP/local-dns, `localAliases` in https://github.com/darkreader/darkreader,
 * and "Server Side Request Forgery" in https://github.com/swisskyrepo/PayloadsAllTheThings.
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

/** Public names that somebody points at loopback; the same lists have them. */
const POINTING_AT_LOOPBACK = [
  '127-0-0-1.org.uk',
  '127.ca',
  '42foo.com',
  'bugbounty.dod.network',
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
  'smackaho.st',
  'ulh.us',
  'vcap.me',
  'yoogle.com',
]

const PRIVATE = new Set([...NEVER_PUBLIC, ...SPELLING_AN_ADDRESS, ...POINTING_AT_LOOPBACK])

/**
 * Whether a URL's host name is known not to lead out into the internet. If it is not known, it may still not: a Worker
 * cannot resolve a name, and its owner may point it elsewhere the next moment.
 */
export function isPrivateName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.')
  // No name has an empty label, but a resolver that drops surplus dots would find `localhost` in `localhost..`.
  if (labels.length < 2 || labels.includes('')) return true
  return labels.some((_, start) => PRIVATE.has(labels.slice(start).join('.')))
}
