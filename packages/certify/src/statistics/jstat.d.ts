/** The functions of jstat that turnproof takes guesses from; the package brings no types of its own. */
declare module 'jstat' {
  interface JStat {
    readonly beta: { inv(probability: number, a: number, b: number): number };
    /** ln B(a, b). */
    betaln(a: number, b: number): number;
    /** I_x(a, b), the share of Beta(a, b) up to x. */
    ibeta(x: number, a: number, b: number): number | false;
    readonly normal: { inv(probability: number, mean: number, standardDeviation: number): number };
  }
  const jstat: { readonly jStat: JStat };
  export default jstat;
}
