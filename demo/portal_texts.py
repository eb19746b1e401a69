"""What the example portal says, by language."""

from __future__ import annotations

LANGUAGES = {"fi": "Suomi", "sv": "Svenska", "en": "English"}

TEXTS = {
    "fi": {
        "title": "Esimerkkiportaali",
        "lead": "Valitse, miten tunnistaudut",
        "register_lead": "Yrityksen edustaja",
        "register": "Rekisteröidy Online-palveluun",
        "closed": "Ei käytössä juuri nyt",
        "all": "Kaikki tunnistustavat",
        "done": "Olet tunnistautunut",
        "again": "Aloita alusta",
        "failed": "Tunnistautuminen ei onnistunut",
        "left": "Keskeytit tunnistautumisen",
        "banks": "Tunnistustapoja ei voitu hakea. Käytä alla olevaa painiketta.",
    },
    "sv": {
        "title": "Exempelportalen",
        "lead": "Välj hur du identifierar dig",
        "register_lead": "Företagets representant",
        "register": "Registrera dig i Onlinetjänsten",
        "closed": "Inte tillgänglig just nu",
        "all": "Alla identifieringssätt",
        "done": "Du har identifierat dig",
        "again": "Börja om",
        "failed": "Identifieringen lyckades inte",
        "left": "Du avbröt identifieringen",
        "banks": "Det gick inte att hämta identifieringssätten. Använd knappen nedan.",
    },
    "en": {
        "title": "Example portal",
        "lead": "Choose how to identify yourself",
        "register_lead": "A company's representative",
        "register": "Register for the Online service",
        "closed": "Not available right now",
        "all": "All methods of identification",
        "done": "You have identified yourself",
        "again": "Start again",
        "failed": "Identification did not succeed",
        "left": "You left the identification",
        "banks": "The methods could not be fetched. Use the button below.",
    },
}
