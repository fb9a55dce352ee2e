/** The two functions of jstat that turnproof takes a first guess from; the package brings no types of its own. */
declare module 'jstat' {
  interface JStat {
    readonly beta: { inv(probability: number, a: number, b: number): number };
    readonly normal: { inv(probability: number, mean: number, standardDeviation: number): number };
  }
  const jstat: { readonly jStat: JStat };
  export default jstat;
}
