import type { Model } from './model.ts';
import { register } from './register.ts';

/** The same object as `register`, under the name by which others know one with `cas`. */
export const casRegister: Model = { ...register, name: 'cas-register' };
