/** Which column of the feed holds what. A rule whose column is not named is not applied. */
export interface Mapping {
  title: string
  /** The supplier's own number for the product; without it, the key is made from the title. */
  key?: string | undefined
  releaseDate?: string | undefined
  /** A price, or sales: a number that is at least 0. */
  amount?: string | undefined
  supplier?: string | undefined
  ageRating?: string | undefined
  /** The values that `ageRating` may have; without them, it may have any. */
  ageRatings?: string[] | undefined
}

/** A catalog of films, each a DVD to sell: the columns of the data set that the demo imports. */
export const FILM_CATALOG: Mapping = {
  title: 'Title',
  releaseDate: 'Release_Date',
  amount: 'US_Gross',
  supplier: 'Distributor',
  ageRating: 'MPAA_Rating',
  ageRatings: ['G', 'PG', 'PG-13', 'R', 'NC-17', 'Not Rated'],
}
