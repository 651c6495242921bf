"""How tightly operators bind; a larger number binds more tightly."""

OR = 10
AND = 20
NOT = 25
RELATION = 30
UNION = 40
INTERSECTION = 45
ADD = 50
MULTIPLY = 60
POWER = 80
