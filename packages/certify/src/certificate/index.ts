/** Certificates: what they are, how they are made from a result, how they are checked. No GPU, no classifier. */
export { type Problem, type Verification, verifyCertificate } from './verify.ts';
export {
  type BaseCertificate,
  type Certificate,
  CERTIFICATE_SCHEMA,
  certificateJsonSchema,
  certificateSchema,
  type DistXCertificate,
} from './schema.ts';
