/* The features of this house, a line each: the one place that includes them all. */
#include "domain/instance/features.h"
#include "domain/entry/opening.h"
#include "domain/authority/authority.h"
#include "domain/breach/breach.h"
#include "domain/campaign/campaign.h"
#include "domain/choice/choice.h"
#include "domain/connector/connector.h"
#include "domain/dsr/dsr.h"
#include "domain/folder/folder.h"
#include "domain/person/permission.h"
#include "domain/preference/preference.h"
#include "domain/publication/publication.h"
#include "domain/recipient/recipient.h"
#include "domain/support/support.h"
#include "domain/tracker/tracker.h"
#include "domain/usage/capacity.h"
#include "domain/version/acknowledge.h"

const struct feature *const features[] = { &usage_feature,
                                           &folder_feature,     &preference_feature, &acknowledge_feature,
                                           &opening_feature,    &permission_feature, &choice_feature,
                                           &tracker_feature,    &campaign_feature,   &dsr_feature,
                                           &publication_feature, &authority_feature,  &breach_feature,
                                           &support_feature,    &connector_feature,  &recipient_feature };
const unsigned feature_count = sizeof features / sizeof *features;
