/** A fault did not take effect, so the rest of the run would prove nothing. */
export class FaultError extends Error {}
