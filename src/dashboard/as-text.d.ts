/** The Worker imports the dashboard's files as text to serve. See `rules` in wrangler.toml. */
declare module './dashboard/*' {
  const text: string
  // biome-ignore lint/style/noDefaultExport: bundlers export text as the default
  export default text
}
