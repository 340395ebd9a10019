import ipaddr from 'ipaddr.js'

/** Names that lead to the machine itself or to a private network, whatever they resolve to. */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|localdomain|home\.arpa)\.?$/i

/**
 * What is wrong with a callback URL; undefined where nothing is. It must be https and lead out into the internet: jobs
 * are not posted into private networks. With `allowLoopback`, for development, http to this machine is fine too.
 */
export function callbackUrlFault(
  text: string,
  { allowLoopback }: { allowLoopback: boolean },
): string | undefined {
  const url = URL.parse(text)
  if (url === null) return 'Input should be a valid URL'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (allowLoopback && isLoopback(host) && /^https?:$/.test(url.protocol)) return undefined
  if (url.protocol !== 'https:') return 'URL should be https'
  if (url.username !== '' || url.password !== '') return 'URL should not carry a name or password'
  const isPublic = ipaddr.isValid(host)
    ? ipaddr.process(host).range() === 'unicast'
    : host.includes('.') && !PRIVATE_NAME.test(host)
  return isPublic ? undefined : 'URL should lead to a public address'
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback')
}
