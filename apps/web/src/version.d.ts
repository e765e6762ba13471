/** Of this page, put in when it is built. */
declare const __DENDRO_VERSION__: string;
