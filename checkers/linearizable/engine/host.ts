/** What the module asks of its host: the state after one operation, or -1 where it is illegal. */
export declare function step(state: i32, kind: i32): i32;
