/** How the Worker sees the files of the page: as text to send. See `rules` in wrangler.toml. */
declare module './dashboard/*' {
  const text: string
  // biome-ignore lint/style/noDefaultExport: that is how bundlers hand over a text
  export default text
}
