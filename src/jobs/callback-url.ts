import ipaddr from 'ipaddr.js'
import { isPrivateName } from './is-private-name.ts'

/** On Azure, the host that a virtual machine runs on. The address looks public, but leads nowhere from elsewhere. */
const AZURE_HOST = '168.63.129.16'

/**
 * Why a callback URL is refused, in words for the caller; undefined if it is not. It must be https and must not be
 * known to lead to a private network. `allowLoopback`, for development, also allows http to this machine.
 */
export function callbackUrlFault(
  text: string,
  { allowLoopback }: { allowLoopback: boolean },
): string | undefined {
  const url = URL.parse(text)
  if (url === null) return 'Input should be a valid URL'
  if (url.username !== '' || url.password !== '') return 'URL should not carry a name or password'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (allowLoopback && isLoopback(host) && /^https?:$/.test(url.protocol)) return undefined
  if (url.protocol !== 'https:') return 'URL should be https'
  const isPublic = ipaddr.isValid(host) ? isPublicAddress(ipaddr.process(host)) : !isPrivateName(host)
  return isPublic ? undefined : 'URL should lead to a public address'
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback')
}

function isPublicAddress(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast' || address.toString() === AZURE_HOST) return false
  // All IPv6 addresses assigned so far are in 2000::/3. `::10.0.0.1`, an old notation of IPv4, counts as unicast too.
  return !('parts' in address) || address.match(ipaddr.IPv6.parseCIDR('2000::/3'))
}
