/** Top-level names that no registry gives out: they lead to this machine or into a network of one's own. */
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
 * Public names that resolve to an address spelled out in them, or to one address after another.
 * Collected from https://github.com/EvilBMP/local-dns, `localAliases` in https://github.com/darkreader/darkreader, and the
 * pages on server-side request forgery in https://github.com/swisskyrepo/PayloadsAllTheThings: look there for new ones.
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

/** Public names that somebody points at this machine, from the same places. */
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
 * Whether a host name, as a URL has it, is known not to lead out into the internet. That one is not known does not mean
 * that it does: a Worker cannot resolve a name, and whoever owns it may point it elsewhere the next moment.
 */
export function isPrivateName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.')
  // With an empty label it is no name; resolvers that drop the surplus dots find `localhost` in `localhost..`.
  if (labels.length < 2 || labels.includes('')) return true
  return labels.some((_, start) => PRIVATE.has(labels.slice(start).join('.')))
}
