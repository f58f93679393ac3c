"""English words: which of them tell nothing about what somebody asks, and which mean the same."""

from __future__ import annotations

STOP_WORDS = """
    a able about above actually after again ago all allowed almost also although always am an and
    another any anybody anyone anything are around as ask asking at away be because been before
    being below best better between both but by can cannot come comes could couldn couldnt currently
    dear did didn didnt do does doesn doesnt doing don done dont down during each either else even
    ever every everybody everyone everything exactly far few find for from further get gets getting
    give given go goes going good got had hadn happen happening happens has hasn have haven having
    he hello help her here hey hi him his how however i if im in instead into is isn isnt it its
    itself ive just keep know let like ll long look lot made make makes many may maybe me mean might
    mine more most much must my myself need needed needs neither never next no nobody none nor not
    nothing now of off often ok okay on once one only onto or other others ought our out over own
    people person please possible put quite rather re really right said same say says see seem shall
    she should shouldn show since so some somebody someone something sometimes somewhere soon still
    such sure take taken takes tell than thank thanks that the their them then there these they
    thing things think this those though through till to today together too try trying two under
    until up upon us use used using usually ve very via want wanted wants was wasn way ways we well
    were weren what whatever when whenever where wherever whether which while who whole whom whose
    why will wish with within without won wondering wont would wouldn yes yet you your yours
"""

# One line, one meaning, as help desks hear it. What stands here need not stand in a document.
SAME = """
    vacation holiday holidays leave pto
    sick ill unwell illness sickness
    laptop notebook computer macbook pc
    screen monitor display
    phone telephone mobile smartphone cellphone
    reimburse refund repay payback
    expense expenses spending
    wifi wlan wireless
    2fa mfa authenticator factor
    manager boss supervisor
    colleague coworker teammate
    stolen stole theft steal
    lost lose losing missing
    baby newborn child birth maternity paternity parental
    booking book reserve reservation
    forgot forget forgotten
    email mail
    dinner meal lunch
    wfh remote remotely
    photocopier copier printer
    flight fly plane
    kilometre kilometer mile mileage
    broken broke break defective
"""
