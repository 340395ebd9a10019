/** A fault that did not have its effect: what follows would prove nothing. */
export class FaultError extends Error {}
