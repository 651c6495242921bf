"""What a client would not write, on both sides of each line."""

import pytest

from harness.phrasing import examines, names_old_year, recaps_case

YEARS = """\
Back in 1938 my grandfather bought the plot.
The deed is dated 1925.
Our 1906 house has a covenant.
It goes back to the 1920s.
It was signed on March 4, 1921, by both.
It was signed 4 March 1921.
On 05/12/1938 it was signed.
Does the Copyright Act of 1909 apply to my song?
They rely on the Sale of Goods Act 1893.
From 1911 to 1925 we leased it.
He owned it since 1899.
1938 was a bad year for us.
It was built in 1912.
They name a statute (Cal. 1921).
In Dec. 1938 he left.
It was recorded 1914-05-12.
The years 1936-1939 matter.
There is an old deed (1887).
In 1938 Congress changed it.
It began in the summer of 1926."""
QUANTITIES = """\
I paid 1,938 dollars.
They cite section 1935 of the code.
They owe me $1900 and do not pay.
The letter names 27 U.S.C. 1914.
The letter names 29 CFR 1910.120.
I sold 1200 copies.
The rent is between 1200 and 1500 a month.
We live at 1914 Oak Street.
Call me at 555-1914.
In 1940 my father bought it.
I have lived here since 1987.
There was a fee of 1500.
They raised it by 1800.
It is order no. 1914.
I own a model 1911 pistol.
He owes 1800 and won't pay.
In 1938 dollars it was little.
They mean rule 1925.
It happened in 1200 homes.
I rent room 1912.
It costs 1200-1500 dollars.
There is rent (1200) to pay.
It is about 1800 of them.
Form 1099 arrived in 2021.
It came in 1,200 cases.
After 1500 miles the engine died.
They use version 1.1914.
The notice cites Code 1720."""
RECAPS = """\
The court held that the licence was void.
In Smith v. Jones the rule was set.
The plaintiff alleged fraud.
The district court granted summary judgment.
The panel affirmed it.
The facts of the case are simple.
They told me of In re Estate of Hall.
The court ruled that notice was late.
According to the opinion, notice counts.
On appeal, the court reversed.
The Supreme Court held the statute unconstitutional."""
OWN_AFFAIRS = """\
The court ordered me to answer by Friday.
The court held a hearing last week.
I am the defendant in a suit.
The court ruled that I must pay.
My landlord took me to court.
Is leasing better than buying?
Leasing vs. buying: what is better?
The defendant is my brother.
The judge granted him a visa.
I got a letter from the court.
A case of wine was broken.
According to the contract, notice is due in June.
He held the keys.
The majority of owners rejected the budget.
In this case the landlord keeps the deposit?"""
EXAMS = """\
Discuss the liability of the parties.
A sells B a car. Advise A.
Advise Alice.
Analyze whether the lease is valid.
Apply the rule to these facts.
Using IRAC, answer.
Assume the following facts.
What are the rights and obligations of the parties?
Question 1: who wins?
Is he liable? (10 points)
What result?
Read the facts, then discuss the claims.
Please explain whether the landlord may evict.
Evaluate the merits of the claim.
In your answer, address consideration."""
REQUESTS = """\
Can we discuss the contract tomorrow?
Please advise.
Please advise me what to do.
Please advise whether I can cancel.
I would like to discuss my liability.
Explain it like I am five.
State law says otherwise, a friend claims.
I lost 5 points on my licence.
Hypothetically, could I be sued?
What can I do?
I want to identify the issues with my roof.
He refused to explain why the rent went up.
The following week he left.
They said they would assess the damage.
He would then determine the price.
The firm agreed to inspect and evaluate the roof."""
FOUND = (
    [(names_old_year, text, True) for text in YEARS.split("\n")]
    + [(names_old_year, text, False) for text in QUANTITIES.split("\n")]
    + [(recaps_case, text, True) for text in RECAPS.split("\n")]
    + [(recaps_case, text, False) for text in OWN_AFFAIRS.split("\n")]
    + [(examines, text, True) for text in EXAMS.split("\n")]
    + [(examines, text, False) for text in REQUESTS.split("\n")]
)


@pytest.mark.parametrize(("detector", "text", "found"), FOUND)
def test_each_side_of_the_line(detector: object, text: str, found: bool) -> None:
    """A year is told from a quantity, a recap from the client's own affair, an examination from a request."""
    assert callable(detector) and detector(text) is found
    assert detector(f"My neighbour has a dog. {text} It rained all day.") is found


@pytest.mark.parametrize(
    "text", ["", "the " * 5_000, "A" * 20_000, "A " * 9_000, "1" * 20_000, "(A. " * 5_000, "In 1938" * 2_000]
)
def test_no_text_takes_long(text: str) -> None:
    """Twenty thousand characters of anything are read to an end."""
    assert all(detector(text) in (True, False) for detector in (examines, names_old_year, recaps_case))
