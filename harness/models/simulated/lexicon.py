"""Facets of meaning: word families by which a sentence of instructions is understood. Data and its compilation only.

In the lists `*` stands for any ending, `_` for a space or hyphen, `~` for up to four words in between.
"""

import re


def facet(words: str) -> re.Pattern[str]:
    """One pattern that finds any of the words, whole, in lower-case text."""
    options = []
    for word in sorted(words.split(), key=len, reverse=True):
        escaped = re.escape(word).replace(r"\*", r"\w*").replace("_", r"[\s-]+")
        options.append(escaped.replace("\\~", r"(?:\s+\S+){0,4}?\s+").replace("~", r"(?:\s+\S+){0,4}?\s+"))
    return re.compile(rf"(?<!\w)(?:{'|'.join(options)})(?!\w)")


FACETS: dict[str, re.Pattern[str]] = {
    name: facet(words)
    for name, words in {
        # what is spoken of
        "question": "question* task tasks problem* ask asks asking puzzle* exercise* challenge* answerable solvable",
        "answer": "answer answers answered answering solve solves solved solving solution*",
        "document": "document* paper papers source* text texts article* manual page pages material passage author* report write-up publication stud* chapter",
        "context": "context* background setting passage setup set-up scenario introduct* preamble briefing what~shown what~see~only facts_you_give given_material information_given situation lead-in intro exposition framing",
        "criterion": "criteri* rubric* credit* mark marks marking points point checklist grade* grading grader* award* reward* score scores scoring rubric_item* rubric_line*",
        "negative": "negative* penalt* penalis* penaliz* deduct deducts deducted deducting minus punish* subtract* demerit* sweeping_deduction* point_deduction* deduction*~points below_zero takes_away lose_points costs_points",
        "positive": "positive* reward* credit*",
        "reader": "solver* reader* someone somebody anyone whoever candidate* student* those_who one_who people person models expert* specialist* practitioner* engineer* you",
        "skill": "skill* tag tags label* type types",
        # specificity
        "specific": "specific* particular* peculiar* unique* distinctive* idiosyncra* its_own their_own only characteristic* singular* novel* original exclusive* nowhere rest rests resting rooted roots ground* anchor* hinge* tie tied ties built build around base bases based draw draws drawn depend* turn turns stem stems stemming pivot* centre* center* surprising* unexpected* unusual counterintuitive counter-intuitive contradict* contrast* distinguish* sets~apart itself core crux exploit* actually concrete* starts_from start_from spring* grow_out grows_out taken_from lies lie lying key_lies",
        "particular": "specific* particular* concrete actual* its_own",
        "rare": "unique* peculiar* distinctive* idiosyncra* only~here only~document only~paper only~text only~source nowhere_else surprising* unexpected* counterintuitive counter-intuitive unlike_other* exclusive* one_of_a_kind this~alone found_only nowhere only_in competitor* rival* others_do_not others_don't no_other not_found_in not_in_standard sets~apart one-off odd oddity oddities quirk* unexpected hallmark* signature idiosyncra* novel* original_contribution* contribut* differentiat* different_from inherent_to particular_to specific_to non-obvious non_obvious",
        "insight": "insight* finding* found finds find result* mechanism* decision* trade-off* tradeoff* trade_off* design* choice* observation* measure* discover* claim* contribution* behaviour* behavior* detail* rule rules number* figure* constraint* conclu* fact facts property properties quirk* peculiarit* evidence lesson* experiment* reason reasons invariant* limitation* exception* subtlet* argument* thesis anomal* aspect* feature* idea ideas content establish*",
        "common": "general_knowledge common_knowledge textbook* text-book* well-known well_known widely_known common_sense folklore background_knowledge prior_knowledge world_knowledge domain_knowledge general_training general_education general_principle* general_understanding general_expertise field_knowledge encyclop* standard_knowledge everyone_knows everybody_knows already_know* everyone_already generic generically in_general general_question* in_the_abstract wikipedia any_expert any_engineer any_practitioner any_competent every_engineer every_practitioner most_engineers most_practitioners practitioners_know popular boilerplate stock off-the-shelf standard_practice best_practice* from_memory memoris* memoriz* pretrain* training_data conventional_wisdom rule*_of_thumb lecture* course courses tutorial* interchangeable any_system any_other any_document any_paper any_library any_program other_documents another_document other_papers another_paper other_sources other_systems hundred* thousands elsewhere universal* broad_knowledge merely_familiar familiarity common_to experience_alone intuition* mere_experience standard_reference* reference_book* handbook* widely_* commonly_* taught ubiquitous commonplace everyday trivia different_document different_paper different_source different_system different_text another_source another_system another_text introductory_material introductions~field basics fundamentals universal_principle* stock_question* canned any_textbook anybody_could anyone_could anyone_can anybody_can",
        "unread": "without~reading without~read without~opening without~seeing without_the_document without_the_paper without_the_source without_the_text without_access without_it never_read never_opened never_seen not_read not_seen not_opened no_access hasn't_read haven't_read didn't_read hasn't_seen unread unseen outsider* has_not_seen lacks~document lacking~document skipped~document only_trained without_having without~studied without~studying never_studied have_not_seen has_never_seen have_never_seen have_never_read has_never_read without~in_hand not~seen~document not~seen~paper not~seen~source never_met never~material never~document never_studied never_come_across",
        "inable": "unable not_be_able cannot could_not should_not must_not can't couldn't fail fails failing at_a_loss stuck impossible no_chance struggle* guess* lost in_the_dark not_suffice not_be_enough insufficient helpless out_of_luck nothing_to_go_on no_idea not_possible never not~answerable nobody no_one no_one wrong unanswerable unsolvable out_of_reach beyond hopeless fall_short",
        # depth
        "multi": "two three four five six several multiple multi* many more_than_one more_than_two chain* series sequence* successive consecutive both competing opposing opposed second-order second_order higher-order higher_order long longer deep deeper various separate distinct layered nested 2 3 4 5 cascad* intertwined simultaneous* plural pair couple number_of independent pile* stack* accumulat*",
        "step": "step steps stage* hop hops inference* infer deduction* deduc* reasoning_step* steps_of_reasoning links link factor* constraint* premise* consideration* mechanism* effect effects force forces condition* consequence* interaction* requirement* cause causes variable* rule rules fact facts influence* derivation* goal goals objective* pressure* quantities conclusion* dependenc* intermediate parts pieces statements inputs aspects implications implies imply move moves leap leaps jump jumps component* node* layer* phase* round rounds observations laws decisions subproblem* sub-problem* sub-question* transformation*",
        "combine": "combin* interact* compet* conflict* depend* build* built feed* weigh* compos* chain* integrat* join* link* connect* tension together pull* interplay* coupl* balanc* reconcil* compound* propagat* in_turn each_other one_another against accumul* interlock* bring* juggl* mesh* clash* collid* resolv* oppos* rest*_on follow*_from trac* on_top previous preceding earlier before",
        "interplay": "interact* interplay compet* tension conflict* multi-step multi_step multistep multi-hop multi_hop multihop chain chains second-order second_order compound_effect* long~reasoning reasoning_chain* line_of_reasoning chain_of chained trade*~against trade*~off~against knock-on knock_on ripple* cascad* interlock* stepwise step_by_step_derivation several_moves indirect* longer_path reasoning_path* path~long long~path* consequences_of_consequences effects_of_effects long_way compositional* nested intermediate output~input result*~feed* propagat* net_effect* net_result* knit* entangl* interdepend* inter-depend* depend*_on_each_other several_steps many_steps multiple_steps successive chain-like dependent_steps layers_of hops",
        "single": "single one-step one_step one_fact one_premise one_sentence one_inference one_rule one_link one_hop one_idea one_line one_move direct directly immediate immediately straight shallow obvious* at_a_glance in_one_go first_glance isolated lone alone one_thought on_its_own single-step single_step one_go single_leap one_leap one_jump one_stroke one_glance a_single",
        # leak
        "reveal": "leak* reveal* giv*~away gives*_away giveaway* disclos* divulg* spoil* betray* hint* expos* announc* telegraph* foreshadow* tip*~off let*_slip spill* gives_the_game_away give_the_game_away tip_off tips_off tipping spoiler*",
        "show": "state states stated stating contain* mention* includ* quot* repeat* copy* copied copying paraphras* restat* appear* lift* verbatim echo* parrot* rephras* hand hands handed give gives given visible supply supplies tell tells told show shows say says saying present* spell* write writes written put stand stands found read_off look*_up extract* draw*_the_conclusion do~reasoning do_the_work draw draws drawing let_on assert* claims declare* pronounc* formulat* articulat* supplies record*",
        "lift": "quot* repeat* copy* copied copying paraphras* restat* rephras* reword* lift* verbatim echo* parrot* read_off reading_off read*~off look*_up extract* word_for_word pick*_out spot* pointing_at point*_to point*_at underlin* cop* recit* regurgitat* read~out read~from read_directly",
        "result": "answer answers conclusion* finding* outcome* result* solution* resolution verdict what_happens punchline punch_line ending consequence* inference* reference_answer turn*_out how_it_ends how_things_end how~ends what_follows follows_from what_happens_next upshot key_claim key_point bottom_line implications what~criteria~reward what~rubric~rewards what~rubric~reward what_is_asked what~question_asks",
        "withhold": "withh* hold*~back hold*_back held_back keep*~out keep*~back keep*~from kept~out kept~back hide hides hidden hiding conceal* omit* leave*~out left_out leav*~out exclud* remov* strip* reserv* silent silence secret* unstated unsaid undisclosed free_of delet* suppress* cut absent hidden_from banish* ban_from purg* stop_short stops_short leav*~for_the_solver leav*~to_the_solver up_to_the_solver no_conclusion* no_result* no_outcome* keep*~to_yourself keep*~secret keep*~private unsaid left_open leave*_open leav*~unsaid leav*~open clear_of free_from without~conclusion",
        "undefined": "undefined unexplained unspecified unsupplied unstated unclear unknown unfamiliar not~explained not~defined missing absent lacking omitted gap gaps unaccounted unintroduced dangling",
        # completeness
        "standalone": "self-contained self_contained selfcontained self-sufficient self_sufficient stand*_on_its_own stand*_by_itself stands_alone stand_alone standalone completeness nothing~missing closed_world understandable_by_itself autonomous fully_specified well-specified well_specified completely_specified well-posed well_posed under-specified underspecified is_complete be_complete it_complete stays_complete remains_complete complete_in_itself",
        "total": "everything all enough sufficient* suffic* needed needs need required missing lack* no_gaps whatever entire* relies_on rely_on complete* adequate in_full fully nothing",
        "complete": "every all everything any each enough sufficient* suffice* full fully whole needed needs need necessary requir* missing lack* no_gaps whatever entire complete* adequate exhaustive* relies_on rely_on depends_on presuppos* unstated undefined unexplained unspecified unsupplied calls_for",
        "supply": "give gives given supply supplies supplied provid* equip* furnish* list lists introduc* spell*~out state stated states defin* explain* specif* include* includ* contain* find finds found set_out sets_out lay*_out put stand stands present leave leaves leaving offer* hand carry carries hold holds establish* work_with assumes rel*_on clarif* name names available tell tells told add adds added up_front beforehand deliver* include_in",
        "premise": "premise* definition* defin* quantit* number* term terms terminology symbol* unit units assumption* fact facts detail* information parameter* abbreviation* acronym* notation ingredient* jargon given givens data value values figure* concept* input inputs piece pieces prerequisite* name names variable* background_fact* precondition* knowledge limit limits mechanism* property properties ingredient* context_information presupposition*",
        "term": "term terms symbol* abbreviation* acronym* notation jargon name names concept* quantit* variable* word words terminology identifier* parameter*",
        "define": "defin* explain* introduc* spell*~out expand* gloss* clarif* unexplained undefined",
        "alone": "only_the_context nothing_but_the_context context_alone passage_alone background_alone with_the_context_only without_the_document without_the_paper cannot_see not_see never_see never_sees does_not_have_the without_outside outside_material no_other_material nothing_else~see sees_nothing_but see_nothing_but sees_only see_only just_your_context just_the_context only_your_context context_is_all all_they_have all_they_see nothing_else_to_go_on no_document no_access_to_the_document not_know_the_document not_have_read cannot_look can't_look look_anything_up look_nothing_up no_other_source",
        # criteria
        "narrow": "specific* narrow* precis* particular* concrete* named name names exact* identif* single definite* unambiguous* verif* checkabl* literal* clear-cut tight* well-defined sharp* pinpoint* actual* false wrong misconception* mistake* explicit* asserts assert error_of explicitly incorrect fallac* surgical* decidable crisp clearly_defined targeted factual falsif* false_statement* definite concrete pinned demonstrabl* provabl* blatant",
        "exact": "one_specific specific* single exact* precis* particular checkable verif* falsif* concrete* testable test tests binary atomic yes-or-no yes_or_no narrow* sharp* definite unambiguous* pin* one_thing one_claim identifiable tight* explicit* well-defined determinate commit* sharp* tighten* definite strict* rigorous* demanding crisp decidable either hard-edged measurable discriminat*",
        "testing": "test_for tests_for testing_for check_for checks_for look_for looks_for verify_that verifies_that",
        "apart": "separate* apart split former latter divide* belong* only_in premises_only only_premises only_the_premises just_the_premises nothing_but_premises bare_premises",
        "premises": "premise* givens raw_facts starting_point* ingredients evidence facts observations",
        "naught": "nothing zero naught no_points no_credit no_marks no_reward empty-handed unrewarded score_low earn_little not_pass not_count not_score",
        "claim": "claim* direction* condition* quantit* value* statement* assertion* proposition* fact facts conclusion* inference* step prediction* mechanism* consequence* result* reason* threshold* outcome* cause effect content assertion* assert assertion what_happens which_way conclude concluded predict deduction relationship*",
        "vague": "vague* broad* catch-all catch_all sweeping generic general generalit* fuzzy loose* blanket umbrella subjective* impression* open-ended wooly woolly unclear ambiguous nebulous elastic diffuse stretch* anything superficial sloppy squishy diluted general_purpose depth overconfiden* soft lax",
        "talk": "discuss* mention* topic* touch* talk* hand-wav* handwav* waffl* name-drop* namedrop* plausibl* sound* vocabulary keyword* buzzword* on-topic on_topic familiar* relevant prose gist jargon understanding awareness aware address* covers fluent fluency bluff* fluff filler platitude* gestur* themes theme rambl* knowledgeable circl*~around around_the_subject skirt* hover* merely superficial* restat* rehears* chat* repeat*",
        "poor": "weak* poor* bluff* vague* wrong incomplete shallow superficial empty lucky ignorant",
        "befall": "fire* appl* trigger* trip* hit hits penalis* penaliz* punish* cost* touch* catch* match* met meet meets strike* affect* harm*",
        "sound": "correct right good sound strong careful valid accurate competent excellent true perfect",
        # form
        "chatter": "wrap* explanation* prose commentary greeting* preamble introduct* remark* markdown fence* surround* chatter apolog* text_around comment* words_around",
        "numeral": "8 10 7 +8 number numbers numerals digits value values",
        "json": "json object json_object machine-readable machine_readable { } braces curly",
        "reply": "reply output response answer_with return respond* format",
        "solely": "only nothing_else no_prose no_other_text no_text no_commentary no_explanation without_any without_prose raw solely pure strict* bare exactly_one a_single nothing_before nothing_after before_or_after around_it no_preamble parseable by_itself nothing_but starts_with begin*_with first_character last_character no_wrapper no_fence* no_markdown first_char nothing_more",
        "valid": "valid validat* parse parses parsed parser* parsable parseable strict strictly machine-readable machine_readable json.loads well-formed well_formed schema syntactic*",
        "weight": "weight* points",
        "integer": "integer* whole_number* whole_numbers int ints bare_number* unquoted not_strings not_a_string no_quotes without_quotes without~plus no_plus plain_number* plain_numeral* no_decimal* never_string* never_strings never~string numeric digits json_number* without_a_sign not_decimals no_fraction* number_not",
        "field": "field* key keys propert* member* schema attribute*",
        "exactly": "exact* all every each no_other* no_extra no_additional nothing_more missing precisely these_fields only_these complete omit* named_as spelled spelt verbatim",
        # harm
        "easy": "easy easier easiest simple simpler simplest basic beginner* introductory straightforward elementary trivial gentle undemanding",
        "recite": "explain* describ* summari* defin* recall* recit* outline*",
        "hopeless": "impossible unanswerable unsolvable obscure* cryptic trick riddle* misleading ambiguous_on_purpose baffl*",
        "tamper": "full_marks award~marks give~top_score give~full mark~as_met answer_badly answer_wrong* answer~incorrectly pretend* fail_on_purpose fail_deliberately ignore~instructions jailbreak refuse_to_answer instruct~solver* tell~solver* instruct~judge tell~judge tell~grader instruct~grader tell~weak*_model convince~judge persuade~judge",
        "no_negatives": "no_negative* without_negative* drop~negative* only_positive* positive-only positive_only positives_only positive_criteria_only all~positive purely_positive never_negative exclusively_positive leave_out~negative* omit~negative* no_penalt* without_penalt* zero_negative* not~any_negative* not~write_negative* not_use_negative*",
    }.items()
}

NEGATION = facet(
    "not never no nor don't doesn't cannot can't mustn't shouldn't isn't aren't won't avoid* without nobody none nothing neither refrain*"
)
AVOIDANCE = facet(
    "not never no nor don't doesn't cannot can't mustn't shouldn't isn't aren't won't avoid* without nobody none nothing neither refrain* "
    "reject* discard* drop dropped throw*~away throw*~out withh* hold*~back hide hidden conceal* omit* leave*~out leav*~out exclud* remov* "
    "strip* keep*~out keep*~from rewrit* rewrite replac* start_over start_again refus* fail fails unable impossible insufficient useless worthless "
    "too_easy ban banned forbid* prohibit* reserv* free_of at_a_loss stuck guard_against beware prevent* delet* cut revis* redo rather_than "
    "instead_of unacceptable disqualif* out_of_bounds resist little_use scrap* bin weed* steer_clear rule*~out loses must_be_derived nowhere "
    "silent unstated deeper harder stop_short off-limits off_limits wast* bad worst flaw* defect* mistake wrong take*~out too_much strike strikes striking too_loose too_broad too_vague too_general lose loses add~further add~more add_another extend not_enough never_enough thrown_away toss* eliminat* swap* abandon* get_rid pick_another choose_another find_another look_further"
)
EXEMPTING = facet("unless until without fewer less only just merely single one-step before except beyond mere simply alone stop settle content")
REQUIRING = (
    r"(?:require|need|ask|demand|use|insist|include|add|provide|make|test|call|give|define|bother|force|expect|want|write|build|"
    r"have to|has to|supply|return|rest|be self|be specific|be strict)\w*"
)
NEGATED_REQUIREMENT = re.compile(
    rf"\b(?:not|never|no|don't|doesn't|needn't|cannot|avoid|refrain from|stop|nobody)\s+(?:\w+\s+){{0,2}}?{REQUIRING}\b"
    rf"|\b(?:avoid|no)\s+(?:\w+[\s-]+){{0,1}}?(?:multi|chain|several|more than one|self-contained|specific)"
)
DISMISSAL = re.compile(
    r"\b(?:do(?:es)? not|don't|doesn't|need not|needn't|never|no need to|not) (?:\w+ )?(?:worry|bother|care|mind|fret|concern|matter|hesitate|insist)\b"
    r"|\bno need\b|\bno harm\b|\bno problem\b|\bneed not\b|\bneedn't\b|\bnot (?:important|necessary|required|needed|essential|a problem|an issue)\b"
    r"|\b(?:is|are|it's|its|perfectly|quite) (?:perfectly |quite |also |entirely )?(?:fine|okay|ok|acceptable|permitted|unimportant|irrelevant|optional|unnecessary|harmless|welcome)\b"
    r"|\bfeel free\b|(?:^|[,;:] )ignore\b|\bnever mind\b|\bforget about\b|\bpay no attention\b|\bwhether or not\b|\bregardless of\b"
    r"|\byou may (?!not|only)|\b(?:may|can|could) (?:freely|safely|well|also|as well)\b|\bno longer\b|\bdoes not have to\b|\bdo not have to\b|\bnot have to\b"
)
NOT_WITHHELD = re.compile(
    r"\b(?:not|never|no|don't|without|nothing|cannot|must not)\s+(?:\w+\s+){0,2}?"
    r"(?:omit|leav\w+ out|left out|withh|hid|exclud|remov|conceal|suppress|cut)"
)
STATES_RESULT = re.compile(
    r"(?:^|\b(?:must|should|always|please|and|also|may)\s+)(?:clearly\s+)?(?:state|include|put|give|write|mention|reveal|repeat|contain|say|tell|announce)"
    r"\s+(?:the |your |its )?(?:\w+ )?(?:conclusion|finding|outcome|result|solution|answer)\b"
)
LEAVES_DOCUMENT = re.compile(
    r"^(?:do not|don't|never|avoid)\s+(?:\w+\s+)?(?:lean|rel[yi]|draw|bas|build|stick|tie|tying|limit|anchor|rest)\w*\b[^.;]{0,25}"
    r"\b(?:document|text|source|paper|article)\b"
)
GENEROUS = re.compile(r"\b(?:generous\w*|lenient\w*|liberal\w*|forgiving|reward (?:any|every|all) answers?)\b")
TAKES_UP = re.compile(r"^(?:if|then|such|these|those|that|this|it|they|otherwise|replace|so|in that case|no|yes|both|neither)\b")
