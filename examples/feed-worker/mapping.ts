/** Names the columns of a feed. A rule applies only if its column is named. */
export interface Mapping {
  title: string
  /** The supplier's product number. Without it, the key is derived from the title. */
  key?: string | undefined
  releaseDate?: string | undefined
  /** A price or sales figure. Zero and negative values are doubtful. */
  amount?: string | undefined
  supplier?: string | undefined
  ageRating?: string | undefined
  /** The allowed values of `ageRating`. Without them, any value is allowed. */
  ageRatings?: string[] | undefined
}

/** The columns of the film data set that the demo imports. */
export const FILM_CATALOG: Mapping = {
  title: 'Title',
  releaseDate: 'Release_Date',
  amount: 'US_Gross',
  supplier: 'Distributor',
  ageRating: 'MPAA_Rating',
  ageRatings: ['G', 'PG', 'PG-13', 'R', 'NC-17', 'Not Rated'],
}
